import { createOwner } from '@plumbline/engine/auth/people';
import { createApp } from '@plumbline/engine/app';
import { playDemo, type DemoResult } from '@plumbline/engine/demo/scenario';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import type {
  ConnectionSummary,
  DropOutcome,
  FlowDetail,
  Page,
  RecordRow,
  RunDetail,
  TaskDetail,
  TaskSummary,
  ValueMapDetail,
} from '@plumbline/engine/contract';
import type { Services } from '@plumbline/engine/services';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';

/** Tables without a company: nobody's data, and each for a reason. */
const shared = new Map([
  ['sandbox_states', 'the doubles play vendors; they stand outside of every company, and production has none'],
  ['kysely_migration', 'the schema’s own history'],
  ['kysely_migration_lock', 'the schema’s own lock'],
]);

let up: TestPlatform;
let insider: StudioClient;
let outsider: StudioClient;
let companies: { readonly ours: string; readonly theirs: string };
let result: DemoResult;
let task: TaskDetail;
let map: ValueMapDetail;
let drop: string;

beforeAll(async () => {
  up = await testPlatform();
  result = await playDemo(up.origin, () => undefined);
  insider = await up.client();
  task = await someTask();
  map = await insider.call<ValueMapDetail>('POST', '/api/value-maps', someMap);
  drop = await someDrop();
  const pool = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
  const other = {
    name: 'Otto Utz',
    email: 'otto@outside.example',
    password: 'a-long-enough-word',
    company: 'Outside Builders',
    slug: 'outside',
  };
  const { companyId: theirs } = await createOwner(pool, other);
  await pool.end();
  const { rows } = await up.owner.query<{ id: string }>('select id from companies where id <> $1', [theirs]);
  companies = { ours: rows[0]?.id ?? '', theirs };
  outsider = new StudioClient(up.origin);
  await outsider.call('POST', '/api/session', { email: other.email, password: other.password });
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

interface Table {
  readonly name: string;
  readonly company: string | null;
  readonly secured: boolean;
  readonly forced: boolean;
  readonly owner: string;
  readonly policies: number;
}

async function tables(): Promise<Table[]> {
  const { rows } = await up.owner.query<Table>(`
    select c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced, pg_get_userbyid(c.relowner) as owner,
           (select count(*)::int from pg_policy p where p.polrelid = c.oid and p.polroles @> array[(select oid from pg_roles where rolname = 'plumbline_app')]) as policies,
           case when c.relname = 'companies' then 'id' else
             (select attname from pg_attribute a where a.attrelid = c.oid and a.attname = 'company_id' and not a.attisdropped) end as company
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') order by 1`);
  return rows;
}

/** Runs as the app's role, for a company; always rolled back. */
async function asApp<T>(companyId: string | undefined, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: up.roleUrl('app') });
  await client.connect();
  try {
    await client.query('begin');
    if (companyId) await client.query(`select set_config('app.company_id', $1, true)`, [companyId]);
    return await work(client);
  } finally {
    await client.query('rollback').catch(() => undefined);
    await client.end();
  }
}

describe('the database', () => {
  test('secures and forces every tenant table, and the app’s roles own nothing', async () => {
    const all = await tables();
    const lacking = all.filter(
      ({ name, company, secured, forced, policies }) =>
        !shared.has(name) && !(company && secured && forced && policies === 1),
    );
    expect(lacking).toEqual([]);
    expect(all.filter(({ owner }) => owner.startsWith('plumbline_'))).toEqual([]);
    const { rows } = await up.owner.query(
      `select rolname from pg_roles where rolname like 'plumbline_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)`,
    );
    expect(rows).toEqual([]);
  });

  test('shows another company nothing, whatever the table, and nobody anything without a company', async () => {
    const filled: string[] = [];
    for (const { name, company } of await tables()) {
      if (!company) continue;
      const { rows } = await up.owner.query<{ count: number }>(
        `select count(*)::int as count from ${name} where ${company} = $1`,
        [companies.ours],
      );
      if (rows[0]?.count) filled.push(name);
      const seen = async (companyId: string | undefined) =>
        await asApp(
          companyId,
          async (client) =>
            (await client.query(`select 1 from ${name} where ${company} = $1`, [companies.ours])).rowCount,
        ).catch((error: unknown) => (error as { code?: string }).code);
      // 42501: not even the right to read.
      expect([0, '42501'], `${name}, as another company`).toContain(await seen(companies.theirs));
      expect([0, '42501'], `${name}, as nobody`).toContain(await seen(undefined));
    }
    // What holds for empty tables proves nothing: the demo has filled most of them.
    expect(filled.length).toBeGreaterThanOrEqual(15);
  });

  test('refuses to write into another company, whatever the table', async () => {
    for (const { name, company } of await tables()) {
      if (!company) continue;
      const column = company;
      const codeOf = async (text: string, values: unknown[]) =>
        await asApp(companies.theirs, async (client) => (await client.query(text, values)).rowCount).catch(
          (error: unknown) => (error as { code?: string }).code,
        );
      expect([0, '42501'], `update ${name}`).toContain(
        await codeOf(`update ${name} set ${column} = ${column} where ${column} = $1`, [companies.ours]),
      );
      expect([0, '42501'], `delete ${name}`).toContain(
        await codeOf(`delete from ${name} where ${column} = $1`, [companies.ours]),
      );
      // A row of theirs, moved or copied to us: the policy's check refuses it before any constraint is looked at.
      const { rows } = await up.owner.query<{ row: object }>(
        `select to_jsonb(t) as row from ${name} t where ${column} = $1 limit 1`,
        [companies.ours],
      );
      if (!rows[0]) continue;
      const { rows: generated } = await up.owner.query<{ attname: string }>(
        `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = ''`,
        [name],
      );
      const columns = generated.map(({ attname }) => `"${attname}"`).join(', ');
      expect(
        await codeOf(
          `insert into ${name} (${columns}) select ${columns} from jsonb_populate_record(null::${name}, $1)`,
          [JSON.stringify(rows[0].row)],
        ),
        `insert into ${name}`,
      ).toBe('42501');
    }
  });
});

const someMap = {
  name: 'Accounts',
  columns: [
    { id: 'code', title: 'Code', type: 'text', key: true },
    { id: 'account', title: 'Account', type: 'text', key: false },
  ],
  rows: [{ code: '03-100', account: '5100' }],
};

/** An event of our company that somebody has dropped. */
async function someDrop(): Promise<string> {
  const { rows } = await up.owner.query<{ id: string }>(
    `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
     select id, 'webhook', 'nobody', 'held', '{}', now() + interval '1 day' from companies where slug = 'hartwell-homes' returning id`,
  );
  const { drop: made } = await insider.call<DropOutcome>('POST', '/api/queue/drop', {
    choice: { ids: rows.map(({ id }) => id) },
    reason: 'A test',
    dryRun: false,
  });
  return made?.id ?? '';
}

/** A question that waits in our company, for somebody outside of it. */
async function someTask(): Promise<TaskDetail> {
  const flow = await publishWebhookFlow(insider, 'Asks', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      ask: node('core.approval', 'Ask', { title: 'Pay?', stages: [{ approvers: 'sub@framing.example' }] }),
    },
    edges: line('incoming', 'ask'),
  });
  await flow.post('one', {});
  const { id } = await until('the task', async () => {
    const { items } = await insider.call<Page<TaskSummary>>('GET', '/api/tasks?view=open');
    return items[0];
  });
  const found = await insider.call<TaskDetail>('GET', `/api/tasks/${id}`);
  await insider.call('POST', `/api/tasks/${id}/seats/${found.stages[0]?.seats[0]?.id}/link`);
  return found;
}

describe('the API', () => {
  test('answers 404 to another company on every route with an id, and its own company otherwise', async () => {
    const run = await insider.call<RunDetail>('GET', `/api/runs/${result.run}`);
    const [connection] = await insider.call<ConnectionSummary[]>('GET', '/api/connections');
    const { items } = await insider.call<Page<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
    const flow = await insider.call<FlowDetail>('GET', `/api/flows/${run.flowId}`);
    const ids: Readonly<Record<string, string>> = {
      flows: flow.id,
      runs: run.id,
      connections: connection?.id ?? '',
      records: items[0]?.id ?? '',
      tasks: task.id,
      'value-maps': map.id,
      queue: drop,
    };
    const bodies: Readonly<Record<string, unknown>> = {
      'PUT /api/flows/:id/draft': { name: 'Taken', document: flow.draft },
      'POST /api/flows/:id/publish': {},
      'POST /api/flows/:id/switch': { on: false },
      'POST /api/flows/:id/start': { values: {} },
      'POST /api/flows/:id/calls': { input: {} },
      'PUT /api/flows/:id/triggers/:nodeId/secret': {},
      'POST /api/flows/:id/versions/:number/publish': {},
      'POST /api/flows/:id/tests': {},
      'PUT /api/flows/:id/pins/:nodeId': { output: {} },
      'POST /api/runs/:id/rerun': { version: 'same', dryRun: true },
      'POST /api/runs/:id/steps/:nodeId/wake': {},
      'POST /api/runs/:id/steps/:nodeId/decide': { action: 'retry' },
      'POST /api/tasks/:id/decide': { outcome: 'approved' },
      'POST /api/tasks/:id/delegate': { to: 'otto@outside.example' },
      'PUT /api/value-maps/:id': someMap,
      'POST /api/value-maps/:id/import': { csv: 'Code,Account\n1,2\n', mode: 'merge', dryRun: true },
      'POST /api/records/vendor_invoice/:id/status': { to: 'approved' },
    };
    // The router itself says which routes there are; what it is built over is not touched until one is called.
    const anything: unknown = new Proxy(() => undefined, {
      get: (_, name) => (name === Symbol.toPrimitive ? () => '' : anything),
      apply: () => anything,
    });
    const routes = createApp(anything as Services).routes.filter(
      ({ method, path }) => method !== 'ALL' && path.startsWith('/api/') && /\/:id(\/|$)/.test(path),
    );
    const unique = [...new Set(routes.map(({ method, path }) => `${method} ${path}`))];
    expect(unique.length).toBeGreaterThanOrEqual(18);
    for (const route of unique) {
      const [method = '', pattern = ''] = route.split(' ');
      const kind = pattern.split('/')[2] ?? '';
      expect(Object.keys(ids), route).toContain(kind);
      const path = pattern
        .replace(':id', ids[kind] ?? '')
        .replace(':entity', 'vendor_invoice')
        .replace(':nodeId', 'bill')
        .replace(':seat', task.stages[0]?.seats[0]?.id ?? '')
        .replace(':number', '1')
        .replace(':name', connection?.connector === 'slack' ? 'channels' : 'expenseAccounts');
      const send = async (client: StudioClient) =>
        await client.fetch(method, path, bodies[route], { 'If-Match': `"${flow.revision}"` });
      const refused = await send(outsider);
      expect(refused.status, `${route}, from outside`).toBe(404);
      expect(await refused.json(), route).toMatchObject({ code: 'not_found', status: 404 });
      // Without this a route that answers 404 to everybody would pass.
      if (method === 'GET') expect((await send(insider)).status, `${route}, from inside`).toBe(200);
    }
  });

  test('lists nothing of another company', async () => {
    for (const path of [
      '/api/flows',
      '/api/runs',
      '/api/connections',
      '/api/notifications',
      '/api/tasks?view=open',
      '/api/value-maps',
      '/api/queue/drops',
      '/api/records/vendor_invoice',
    ])
      expect(JSON.stringify(await outsider.call('GET', path)), path).not.toContain(companies.ours);
    expect(await outsider.call<Page<unknown>>('GET', '/api/runs')).toMatchObject({ items: [] });
    expect(await outsider.call<Page<unknown>>('GET', '/api/flows')).toMatchObject({ items: [] });
  });

  test('does not let someone switch to a company they do not belong to', async () => {
    expect((await outsider.fetch('POST', '/api/me/company', { companyId: companies.ours })).status).toBe(404);
  });

  test('answers nobody without a session, and no page of another site', async () => {
    const nobody = new StudioClient(up.origin);
    for (const path of ['/api/me', '/api/flows', '/api/runs', '/api/live', '/api/records', '/api/templates'])
      expect((await nobody.fetch('GET', path)).status, path).toBe(401);
    const foreign = await insider.fetch('POST', '/api/flows', { name: 'Forged' }, { Origin: 'https://evil.example' });
    expect(await foreign.json()).toMatchObject({ code: 'origin_forbidden' });
  });
});

describe('roles', () => {
  test.each([
    ['viewer', 'POST', '/api/flows', { name: 'Not mine to make' }],
    ['viewer', 'POST', '/api/value-maps', someMap],
    ['builder', 'POST', '/api/connections/authorize', { connector: 'slack', environment: 'sandbox', returnTo: '/' }],
  ] as const)('a %s may not %s %s', async (role, method, path, body) => {
    const pool = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
    const person = {
      name: role,
      email: `${role}@hartwell.example`,
      password: 'a-long-enough-word',
      company: 'Hartwell Homes',
      slug: 'hartwell-homes',
      role,
    };
    await createOwner(pool, person);
    await pool.end();
    const client = new StudioClient(up.origin);
    await client.call('POST', '/api/session', { email: person.email, password: person.password });
    const answer = await client.fetch(method, path, body);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'forbidden' });
    expect((await client.fetch('GET', '/api/flows')).status).toBe(200);
  });
});
