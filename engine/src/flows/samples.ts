import type { Transaction } from '@plumbline/db';
import type { Catalog } from '@plumbline/nodes';
import { literalsOf, type FlowDocument } from '@plumbline/workflows/flow';
import type { Sample } from '../contract/index.ts';
import { mask } from '../runs/mask.ts';
import { describeSubject, eventWords } from './subject.ts';

const SAMPLES = 15;

/**
 * Past events that the draft's trigger would take, newest first, each with what expressions see: where a run of this flow took the event, its steps' outputs too.
 * Without any, a record trigger offers what an existing record would have sent.
 */
export async function readSamples(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: FlowDocument;
    readonly catalog: Catalog;
    readonly now: Date;
  },
): Promise<Sample[]> {
  const { companyId, flowId, document } = work;
  const company = await tx
    .selectFrom('companies')
    .select(['name', 'time_zone', 'currency'])
    .where('id', '=', companyId)
    .executeTakeFirstOrThrow();
  const shared = {
    params: Object.fromEntries(Object.entries(document.params).map(([id, param]) => [id, param.value])),
    company: { id: companyId, name: company.name, timeZone: company.time_zone, currency: company.currency },
  };
  const keys = await eventKeys(tx, work);
  if (keys.length === 0) return [];
  const events = await tx
    .selectFrom('events')
    .select(['id', 'kind', 'key', 'data', 'received_at'])
    .where('company_id', '=', companyId)
    .where('key', 'in', keys)
    .orderBy('seq', 'desc')
    .limit(SAMPLES)
    .execute();
  const samples: Sample[] = [];
  for (const event of events) {
    const run = await tx
      .selectFrom('runs')
      .select(['id', 'queued_at'])
      .where('company_id', '=', companyId)
      .where('flow_id', '=', flowId)
      .where('event_id', '=', event.id)
      .where('rerun_of', 'is', null)
      .executeTakeFirst();
    const steps = run
      ? await tx
          .selectFrom('steps')
          .select(['node_id', 'output'])
          .where('company_id', '=', companyId)
          .where('run_id', '=', run.id)
          .where('status', '=', 'succeeded')
          .execute()
      : [];
    samples.push({
      eventId: event.id,
      title: describeSubject(event.key, event.data) ?? eventWords[event.kind],
      receivedAt: event.received_at.toISOString(),
      runId: run?.id ?? null,
      context: {
        trigger: mask(event.data),
        steps: Object.fromEntries(steps.map((step) => [step.node_id, mask(step.output)])),
        run: { id: run?.id ?? event.id, startedAt: (run?.queued_at ?? event.received_at).toISOString() },
        ...shared,
      },
    });
  }
  return samples.length > 0 ? samples : await fromRecords(tx, work, keys, shared);
}

async function eventKeys(
  tx: Transaction,
  {
    companyId,
    flowId,
    document,
    catalog,
  }: { companyId: string; flowId: string; document: FlowDocument; catalog: Catalog },
): Promise<string[]> {
  const subscribed = await tx
    .selectFrom('subscriptions')
    .select(['node_id', 'key'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .execute();
  return Object.entries(document.nodes).flatMap(([nodeId, node]) => {
    const subscription = catalog.nodeTypes.get(`${node.type}@${node.version}`)?.subscription;
    if (!subscription) return [];
    if ('key' in subscription) return [subscription.key(literalsOf(node.inputs))];
    const known = subscribed.find((row) => row.node_id === nodeId);
    return known ? [known.key] : [];
  });
}

async function fromRecords(
  tx: Transaction,
  work: { readonly companyId: string; readonly now: Date },
  keys: readonly string[],
  shared: Readonly<Record<string, unknown>>,
): Promise<Sample[]> {
  const [entity = '', change = ''] = keys[0]?.split('.') ?? [];
  const rows = await tx
    .selectFrom('records')
    .select(['id', 'data', 'updated_at'])
    .where('company_id', '=', work.companyId)
    .where('entity', '=', entity)
    .orderBy('updated_at', 'desc')
    .limit(5)
    .execute();
  return rows.map((row) => {
    const occurredAt = row.updated_at.toISOString();
    const trigger = {
      event: { id: `sample:${row.id}`, type: `${entity}.${change}`, occurredAt },
      record: { id: row.id, ...row.data },
      actor: 'sample',
    };
    return {
      eventId: row.id,
      title: `${describeSubject(`${entity}.`, trigger) ?? entity} (from your records)`,
      receivedAt: occurredAt,
      runId: null,
      context: { trigger, steps: {}, run: { id: row.id, startedAt: occurredAt }, ...shared },
    };
  });
}
