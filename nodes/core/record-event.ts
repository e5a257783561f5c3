import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';
import { recordChangeFields, recordSchemas, type RecordEntity } from './record-schemas.ts';

function outputOf(record: z.ZodType) {
  return z.object({
    event: z.object({ id: z.string(), type: z.string(), occurredAt: z.string() }),
    record,
    actor: z.string().optional(),
  });
}

/** Starts when one of the company's own records changes; the event is written in the transaction of the change. */
export const node = defineTrigger({
  id: 'core.record-event',
  title: 'A record changes',
  description: 'When an invoice is approved, a vendor is added, a project changes …',
  category: 'Triggers',
  icon: 'file-pen-line',
  input: z.object(recordChangeFields),
  output: outputOf(z.object({ id: z.string() }).loose()),
  outputFor: ({ entity }) =>
    typeof entity === 'string' && Object.hasOwn(recordSchemas, entity)
      ? outputOf(recordSchemas[entity as RecordEntity])
      : undefined,
  subscription: { kind: 'record', key: ({ entity, change }) => `${String(entity)}.${String(change)}` },
});
