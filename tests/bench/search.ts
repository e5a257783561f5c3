/**
 * How long a search among many runs takes: `node tests/bench/search.ts [runs]`, 300,000 unless told. Seeds a database of its own, gathers what runs can
 * be found by as the engine does, and asks as the API does.
 */
import { startTestServer, testDatabase } from '../../db/src/testing.ts';
import { findRuns, type RunFilter } from '@plumbline/engine/runs/find-runs';
import { gatherReferences } from '@plumbline/engine/runs/reference-keeper';
import { quantile } from './measure.ts';

const runs = Number(process.argv[2] ?? 300_000);
const server = await startTestServer();
process.env['PLUMBLINE_TEST_PG'] = server.url;
const database = await testDatabase();
const companyId = await database.company('Bench Builders');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  await seed();
  let began = performance.now();
  let gathered = 0;
  for (let more = 1; more > 0; gathered += more) more = await gatherReferences(database.store, companyId);
  const seconds = (performance.now() - began) / 1_000;
  const [counted] = await database.asOwner<{ refs: string; size: string }>(
    `select count(*) as refs, pg_size_pretty(pg_total_relation_size('run_references')) as size from run_references`,
  );
  say(
    `gathered   ${gathered} runs in ${seconds.toFixed(0)} s, ${(gathered / seconds).toFixed(0)} a second; ${counted?.refs} references, ${counted?.size}`,
  );
  began = performance.now();
  await database.asOwner('analyze');
  const cases: Record<string, Omit<RunFilter, 'companyId'>> = {
    newest: {},
    'a record number': { q: `INV-${Math.trunc(runs / 3)}` },
    'the beginning of numbers (1,111)': { q: `INV-${Math.trunc(runs / 3 / 100)}` },
    'the beginning of every number': { q: 'inv' },
    'a vendor’s id': { q: `bill-${Math.trunc(runs / 2)}` },
    'two words of a name': { q: 'ridge framing' },
    'a name and a number': { q: `ridge INV-${Math.trunc(runs / 3 / 10)}` },
    'nothing there is': { q: 'no-such-thing' },
    'a flow’s name': { q: 'invoices 3' },
    'an error code': { code: 'closed_period' },
    'failed, last day': { status: 'failed', since: new Date(Date.now() - 86_400_000) },
  };
  for (const [name, filter] of Object.entries(cases)) {
    const times: number[] = [];
    let found = 0;
    for (let round = 0; round < 15; round++) {
      const from = performance.now();
      found = (await database.store.tenant(companyId, (tx) => findRuns(tx, { companyId, ...filter }))).length;
      times.push(performance.now() - from);
    }
    say(
      `${name.padEnd(36)} median ${quantile(times, 0.5).toFixed(1)} ms, slowest ${Math.max(...times).toFixed(1)} ms, ${found} found`,
    );
  }
} finally {
  await database.close();
  await server.stop();
}

async function seed(): Promise<void> {
  const plan = 'p1';
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, $2, '{}')`, [companyId, plan]);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft) select gen_random_uuid(), $1, 'Invoices ' || n, 'on', '{}' from generate_series(1, 20) n`,
    [companyId],
  );
  await database.asOwner(
    `insert into events (id, company_id, kind, key, dedupe_key, data, status)
     select md5('event' || n)::uuid, $1, 'record', 'vendor_invoice.approved', n::text, jsonb_build_object('record', jsonb_build_object(
              'id', md5('record' || n)::uuid, 'number', 'INV-' || n, 'total', '4415.18',
              'vendorName', (array['Ridge Framing', 'Leicester Stair & Rail', 'Lone Star Concrete', 'Valley Drywall'])[1 + n % 4])), 'dispatched'
       from generate_series(1, $2::int) n`,
    [companyId, runs],
  );
  await database.asOwner(
    `insert into runs (id, company_id, flow_id, flow_version, plan_hash, event_id, trigger_node_id, carrier_id, lane, status, error, queued_at, confirmed_at, started_at, finished_at)
     select md5('run' || n)::uuid, $1, flows.ids[1 + n % 20], 1, $3, md5('event' || n)::uuid, 't', 'c', 0,
            case when n % 100 = 0 then 'failed' else 'succeeded' end,
            case when n % 100 = 0 then jsonb_build_object('kind', 'closed_period', 'code', case when n % 5000 = 0 then 'closed_period' else 'invalid' end) end,
            at, at, at, at + interval '1 second'
       from generate_series(1, $2::int) n, lateral (select now() - ($2::int - n) * interval '20 seconds' as at) times,
            (select array_agg(id order by name) as ids from flows where company_id = $1) flows`,
    [companyId, runs, plan],
  );
  await database.asOwner(
    `insert into steps (company_id, run_id, node_id, status, attempt, port, output, started_at, finished_at)
     select $1, md5('run' || n)::uuid, 'bill', 'succeeded', 1, 'out', jsonb_build_object('id', 'bill-' || n, 'docNumber', 'INV-' || n), now(), now()
       from generate_series(1, $2::int) n`,
    [companyId, runs],
  );
  say(`seeded     ${runs} runs`);
}
