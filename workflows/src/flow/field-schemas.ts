import type { JsonSchema } from './catalog.ts';

/** What a value is that a person, a program or another flow gives, by the type its field was declared with. Records are by their entity. */
export const fieldSchemas: Readonly<Record<'text' | 'number' | 'date' | 'yes_no' | 'any', JsonSchema>> = {
  text: { type: 'string' },
  number: { type: 'number' },
  date: { type: 'string', format: 'date' },
  yes_no: { type: 'boolean' },
  any: {},
};
