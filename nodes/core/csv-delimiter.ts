import { z } from 'zod';

/** What stands between the cells of a line, by name. */
export const delimiters = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' } as const;

/** The input that chooses one. */
export const delimiterField = z
  .enum(Object.keys(delimiters) as [keyof typeof delimiters])
  .default('comma')
  .meta({
    title: 'Between cells',
    labels: { comma: 'Comma', semicolon: 'Semicolon', tab: 'Tab', pipe: 'Bar |' },
  });
