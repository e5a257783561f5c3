import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';
import { formFields, formRecords } from './form-fields.ts';

/**
 * Starts when a program calls our API: `POST /api/flows/<id>/calls` with `{ "input": { … } }`. What is declared is checked before anything starts, and a call
 * that is repeated with its Idempotency-Key starts one run.
 */
export const node = defineTrigger({
  id: 'core.api-call',
  title: 'A program calls',
  description: 'Another program starts it through our API, with an input that is checked.',
  category: 'Triggers',
  icon: 'code-xml',
  source: 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/',
  input: z.object({
    fields: formFields
      .optional()
      .meta({ title: 'Its input', description: 'What a call gives; nothing else is taken.' }),
  }),
  output: z.object({ input: z.record(z.string(), z.unknown()), actor: z.string().optional() }),
  outputFields: { list: 'fields', into: 'input', records: formRecords },
  subscription: { kind: 'call' },
});
