import { z } from 'zod';
import { defineTrigger, shortName } from '../sdk/index.ts';

/** Starts when another flow calls this one; its fields are what a caller must hand over. */
export const node = defineTrigger({
  id: 'core.flow-input',
  title: 'Another flow calls it',
  description: 'Makes this flow a step that other flows can use.',
  category: 'Triggers',
  icon: 'workflow',
  input: z.object({
    fields: z
      .array(
        z.object({
          id: shortName,
          title: z.string().min(1).max(60).meta({ title: 'Title' }),
          type: z
            .enum(['text', 'number', 'date', 'yes_no', 'any'])
            .default('any')
            .meta({
              title: 'Kind',
              labels: { text: 'Text', number: 'Number', date: 'Date', yes_no: 'Yes or no', any: 'Anything' },
            }),
          required: z.boolean().optional().meta({ title: 'Must be given' }),
        }),
      )
      .max(50)
      .default([])
      .meta({ title: 'What callers hand over' }),
  }),
  output: z.object({
    values: z.record(z.string(), z.unknown()),
    caller: z.object({ runId: z.string(), flowId: z.string() }),
  }),
  outputFields: { list: 'fields', into: 'values', records: {} },
  subscription: { kind: 'flow' },
});
