import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';
import { formFields, formRecords } from './form-fields.ts';

/** Starts when a person presses "Run now". The fields it declares are a form that is filled in then, and checked; without any it takes whatever is given. */
export const node = defineTrigger({
  id: 'core.manual',
  title: 'Someone starts it',
  description: 'A person presses "Run now", with values they fill in.',
  category: 'Triggers',
  icon: 'hand',
  input: z.object({
    fields: formFields
      .optional()
      .meta({ title: 'What is asked for', description: 'A form that is filled in before the run.' }),
  }),
  output: z.object({ values: z.record(z.string(), z.unknown()), actor: z.string().optional() }),
  outputFields: { list: 'fields', into: 'values', records: formRecords },
  subscription: { kind: 'manual' },
});
