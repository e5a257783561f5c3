import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeUp } from './lane.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import { openBench, type Bench } from './testing.ts';
import { drawnEdge, drawnNode, publishFlow } from './testing-flow.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test.each([
  ['manual', {}, 0],
  ['call', {}, 0],
  ['webhook', {}, 1],
  ['webhook', { awaited: true }, 0],
  ['record', {}, 1],
  ['schedule', {}, 2],
  ['poll', {}, 2],
  ['schedule', { again: true }, 0],
  ['manual', { urgency: 3 }, 3],
] as const)('a run that a %s event started (%j) is as urgent as %i', async (kind, given, urgency) => {
  const { companyId, database, deps } = bench;
  const flow = await publishFlow(bench, deps, {
    nodes: { t: drawnNode('core.manual'), end: drawnNode('core.stop') },
    edges: [drawnEdge('t', 'end')],
  });
  const { runId } = await flow.begin();
  const eventId = randomUUID();
  const awaited = 'awaited' in given ? new Date(Date.now() + 10_000) : null;
  await database.asOwner(
    `insert into events (id, company_id, kind, key, dedupe_key, data, status, awaited_until) values ($1, $2, $3, 'k', gen_random_uuid()::text, '{}', 'dispatched', $4)`,
    [eventId, companyId, kind, awaited],
  );
  const former = 'again' in given ? (await flow.begin()).runId : null;
  await database.asOwner('update runs set event_id = $2, rerun_of = $3, urgency = $4 where id = $1', [
    ...[runId, eventId, former, 'urgency' in given ? given.urgency : null],
  ]);
  const ledger = createLedgerWriter(deps.store);
  const plan = { params: {}, graph: { nodes: [], edges: [] } };
  const at = { store: deps.store, companyId, runIds: [runId], plan, ledger, now: deps.now() };
  const { lanes } = await takeUp({ ...at, lease: randomUUID(), leaseMs: 0 });
  expect(lanes.get(runId)?.urgency).toBe(urgency);
});
