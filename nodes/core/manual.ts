import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';

/** Starts when a person presses "Run now". */
export const node = defineTrigger({
  id: 'core.manual',
  title: 'Someone starts it',
  description: 'A person presses "Run now", with values they fill in.',
  category: 'Triggers',
  icon: 'hand',
  input: z.object({}),
  output: z.object({ values: z.record(z.string(), z.unknown()) }),
  subscription: { kind: 'manual' },
});
