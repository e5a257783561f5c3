import { randomUUID } from 'node:crypto';
import type {
  FlowDetail,
  FlowExport,
  FlowImported,
  Page,
  Problem,
  RunDetail,
  RunSummary,
  ValueMapDetail,
  ValueMapDiff,
  ValueMapImported,
  ValueMapSummary,
  ValueMapUse,
  ValueMapVersion,
} from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const columns = [
  { id: 'cost_code', title: 'Cost code', type: 'text', key: true },
  { id: 'account', title: 'Account', type: 'text', key: false },
  { id: 'taxed', title: 'Taxed', type: 'boolean', key: false },
] as const;
const framing = { cost_code: '03-100', account: '5100', taxed: true };
const roofing = { cost_code: '07-200', account: '5200', taxed: false };

async function make(name: string, more: object = {}): Promise<ValueMapDetail> {
  return await client.call('POST', '/api/value-maps', { name, columns, rows: [framing, roofing], ...more });
}
const read = (id: string, query = '') => client.call<ValueMapDetail>('GET', `/api/value-maps/${id}${query}`);
const versions = (id: string) => client.call<ValueMapVersion[]>('GET', `/api/value-maps/${id}/versions`);
async function save(map: ValueMapDetail, change: object): Promise<ValueMapDetail> {
  const { name, description, columns: now, loose, otherwise, rows } = map;
  return await client.call(
    'PUT',
    `/api/value-maps/${map.id}`,
    { name, description, columns: now, loose, otherwise, rows, ...change },
    { 'If-Match': `"${map.version}"` },
  );
}
async function refused(method: string, path: string, body?: unknown, headers = {}): Promise<Problem> {
  const answer = await client.fetch(method, path, body, headers);
  expect(answer.ok).toBe(false);
  return (await answer.json()) as Problem;
}

describe('a value map', () => {
  test('is kept in versions, each with who saved what, and goes back to any of them', async () => {
    const first = await make('Versions');
    expect(first).toMatchObject({ version: 1, latest: 1, rowCount: 2, updatedBy: 'Dana Hartwell' });
    const second = await save(first, {
      rows: [
        { ...framing, account: '5150' },
        { cost_code: '09-300', account: '5300' },
      ],
      note: 'New accounts',
    });
    expect(second.version).toBe(2);
    expect(second.rows.map(({ account }) => account)).toEqual(['5150', '5300']);
    // Nothing changed, so nothing is kept.
    expect((await save(second, {})).version).toBe(2);
    expect(await versions(first.id)).toMatchObject([
      { number: 2, added: 1, changed: 1, removed: 1, note: 'New accounts', savedBy: 'Dana Hartwell', rowCount: 2 },
      { number: 1, added: 2, changed: 0, removed: 0 },
    ]);
    expect((await read(first.id, '?version=1')).rows).toEqual([framing, roofing]);
    const diff = await client.call<ValueMapDiff>('GET', `/api/value-maps/${first.id}/versions/2/changes`);
    expect(diff).toMatchObject({
      from: 1,
      to: 2,
      added: [{ cost_code: '09-300' }],
      changed: [{ before: { account: '5100' }, after: { account: '5150' } }],
      removed: [{ cost_code: '07-200' }],
    });
    const back = await client.call<ValueMapDetail>(
      'POST',
      `/api/value-maps/${first.id}/versions/1/restore`,
      undefined,
      { 'If-Match': '"2"' },
    );
    expect(back).toMatchObject({ version: 3, rows: [framing, roofing] });
    expect((await versions(first.id))[0]).toMatchObject({ number: 3, restored: 1, note: 'Back to version 1' });
    // A version costs the rows that it changes: two each here, and none for the save that changed nothing.
    const { rows } = await up.owner.query('select count(*)::int as count from value_map_rows where map_id = $1', [
      first.id,
    ]);
    expect(rows).toEqual([{ count: 6 }]);
  });

  test('is saved by one of two who read the same version', async () => {
    const map = await make('Raced');
    await save(map, { rows: [framing] });
    expect(
      await refused('PUT', `/api/value-maps/${map.id}`, { name: 'Raced', columns, rows: [] }, { 'If-Match': '"1"' }),
    ).toMatchObject({ code: 'revision_conflict', status: 409 });
    expect(await refused('PUT', `/api/value-maps/${map.id}`, { name: 'Raced', columns, rows: [] })).toMatchObject({
      code: 'invalid_input',
      path: 'If-Match',
    });
    const both = await read(map.id);
    const outcomes = await Promise.allSettled([
      save(both, { rows: [roofing] }),
      save(both, { rows: [framing, roofing] }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test.each([
    ['row_duplicate', { rows: [framing, { ...framing, cost_code: ' 03-100' }] }, 'rows.1'],
    ['cell_too_long', { rows: [{ ...framing, account: 'x'.repeat(501) }] }, 'rows.0.account'],
    ['too_many_rows', { rows: Array.from({ length: 10_001 }, (_, at) => ({ cost_code: `c${at}` })) }, undefined],
    ['column_invalid', { columns: columns.map((column) => ({ ...column, key: false })) }, undefined],
    ['unknown_field', { nothing: true }, undefined],
  ])('with %s is refused, and the place is named', async (code, change, path) => {
    const problem = await refused('POST', '/api/value-maps', { name: `Wrong ${code}`, columns, rows: [], ...change });
    expect(problem).toMatchObject({ code, status: 422 });
    expect(problem.path).toBe(path);
  });

  test('has a name of its own, whatever its capitals', async () => {
    await make('Named');
    expect(await refused('POST', '/api/value-maps', { name: 'NAMED', columns })).toMatchObject({ code: 'name_taken' });
  });

  test('goes out as CSV and comes in again, with a look at what changes first', async () => {
    const map = await make('Carried', { rows: [framing, { ...roofing, account: '=1+1' }] });
    const csv = await (await client.fetch('GET', `/api/value-maps/${map.id}/csv`)).text();
    expect(csv.replace('\ufeff', '')).toBe("Cost code,Account,Taxed\r\n03-100,5100,yes\r\n07-200,'=1+1,no\r\n");
    const give = (text: string, more: object = {}) =>
      client.call<ValueMapImported>(
        'POST',
        `/api/value-maps/${map.id}/import`,
        { csv: text, mode: 'replace', dryRun: true, ...more },
        { 'If-Match': '"1"' },
      );
    expect((await give(csv)).changes).toMatchObject({ added: [], changed: [], removed: [], same: 2, shape: false });
    const text = 'cost code;ACCOUNT;Remark\n03-100;5999;new\n09-300;5300;\n';
    expect(await give(text, { delimiter: 'semicolon', mode: 'merge' })).toMatchObject({
      ignored: ['Remark'],
      problems: [],
      version: null,
      changes: {
        added: [{ cost_code: '09-300' }],
        changed: [{ after: { account: '5999', taxed: true } }],
        removed: [],
        same: 1,
      },
    });
    expect((await give(text, { delimiter: 'semicolon' })).changes.removed).toMatchObject([{ cost_code: '07-200' }]);
    expect((await give('Cost code,Taxed\n03-100,perhaps\n03-100,no\n')).problems).toMatchObject([
      { code: 'cell_invalid', row: 0, column: 'taxed' },
    ]);
    expect((await read(map.id)).version).toBe(1);
    expect(await give(text, { delimiter: 'semicolon', dryRun: false })).toMatchObject({ version: 2 });
    expect(await read(map.id)).toMatchObject({ rows: [{ account: '5999' }, { cost_code: '09-300' }] });
    for (const [broken, code] of [
      ['account\n1\n', 'csv_invalid'],
      ['"Cost code\n1', 'csv_invalid'],
    ] as const)
      expect(
        await refused('POST', `/api/value-maps/${map.id}/import`, { csv: broken, mode: 'merge', dryRun: true }),
      ).toMatchObject({ code });
  });

  test('is written into the audit log with every change', async () => {
    const map = await make('Audited');
    await save(map, { rows: [framing] });
    await client.call('DELETE', `/api/value-maps/${map.id}`);
    const { rows } = await up.owner.query<{ action: string }>(
      'select action from audit_log where target_id = $1 order by number',
      [map.id],
    );
    expect(rows.map(({ action }) => action)).toEqual(['value_map.created', 'value_map.saved', 'value_map.deleted']);
    expect(await refused('GET', `/api/value-maps/${map.id}`)).toMatchObject({ code: 'not_found' });
    // Its name is free again.
    await make('Audited');
  });
});

const lookup = (map: Pick<ValueMapDetail, 'id' | 'name'>, inputs: object = {}) =>
  node('core.lookup', 'Find the account', {
    source: 'map',
    map: { id: map.id, name: map.name },
    value: '=trigger.body.code',
    ...inputs,
  });
async function flowOf(map: ValueMapDetail, inputs: object = {}, name = 'Looks up'): Promise<WebhookFlow> {
  return await publishWebhookFlow(client, name, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      find: lookup(map, inputs),
      after: node('core.map', 'Afterwards', { value: '=steps.find.value' }),
    },
    edges: line('incoming', 'find', 'after'),
  });
}
async function runOf(flow: WebhookFlow, code: unknown, status: RunSummary['status']): Promise<RunDetail> {
  const answer = await flow.post(randomUUID(), { code });
  expect(answer.status).toBeLessThan(300);
  return await until(`a run that is ${status}`, async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
    return items[0]?.status === status ? await client.call<RunDetail>('GET', `/api/runs/${items[0].id}`) : undefined;
  });
}
const found = ({ steps }: RunDetail) => steps.find(({ nodeId }) => nodeId === 'find');

describe('a step that looks up', () => {
  test('answers with the version as it is when it runs, and says which that was', async () => {
    const map = await make('Accounts');
    const flow = await flowOf(map);
    expect(found(await runOf(flow, ' 03-100', 'succeeded'))?.output).toEqual({
      value: '5100',
      found: true,
      from: ' 03-100',
      row: framing,
      map: { id: map.id, name: 'Accounts', version: 1 },
    });
    await save(map, { rows: [{ ...framing, account: '5150' }, roofing] });
    await flow.post('again', { code: '03-100' });
    await until('the second run', async () => {
      const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&status=succeeded`);
      if (items.length < 2) return undefined;
      const run = await client.call<RunDetail>('GET', `/api/runs/${items[0]?.id}`);
      expect(found(run)?.output).toMatchObject({ value: '5150', map: { version: 2 } });
      return true;
    });
  });

  test('stops at a key without a row, names map and key, and goes on once the row is added', async () => {
    const map = await make('Gaps');
    const flow = await flowOf(map, { column: 'taxed' });
    const run = await runOf(flow, '99-999', 'parked');
    expect(found(run)?.error).toMatchObject({
      code: 'lookup_missing',
      message: expect.stringContaining('The value map "Gaps" has no row for "99-999".'),
    });
    await save(map, { rows: [framing, roofing, { cost_code: '99-999', taxed: true }] });
    await client.call('POST', `/api/runs/${run.id}/steps/find/decide`, { action: 'retry' });
    const done = await until('the end', async () => {
      const now = await client.call<RunDetail>('GET', `/api/runs/${run.id}`);
      return now.status === 'succeeded' ? now : undefined;
    });
    expect(found(done)?.output).toMatchObject({ value: true, found: true, map: { version: 2 } });
  });

  test('takes the values for all others, its own default, or the way out, as it says', async () => {
    const map = await make('Others', { otherwise: { account: '9999' } });
    const others = await flowOf(map, {}, 'Takes the others');
    expect(found(await runOf(others, 'none', 'succeeded'))?.output).toMatchObject({ value: '9999', found: false });
    const own = await flowOf(map, { otherwise: 'default', default: '1' }, 'Takes its own');
    expect(found(await runOf(own, 'none', 'succeeded'))?.output).toMatchObject({ value: '1', found: false });
    const out = await flowOf(map, { otherwise: 'port' }, 'Goes out');
    expect(found(await runOf(out, 'none', 'succeeded'))).toMatchObject({ port: 'missing', output: { found: false } });
  });

  test('finds a row by several columns, and says which one it misses', async () => {
    const map = await make('Two keys', {
      columns: [columns[0], { id: 'project', title: 'Project', type: 'text', key: true }, columns[1]],
      rows: [{ cost_code: '03-100', project: 'Oak', account: '5101' }],
    });
    const flow = await flowOf(map);
    expect(found(await runOf(flow, { 'Cost code': '03-100', project: 'OAK' }, 'succeeded'))?.output).toMatchObject({
      value: '5101',
    });
    expect(found(await runOf(flow, { cost_code: '03-100' }, 'parked'))?.error).toMatchObject({
      code: 'value_invalid',
      message: expect.stringContaining('nothing for "Project"'),
    });
  });

  test('can be tried out', async () => {
    const map = await make('Tried');
    const flow = await flowOf(map);
    const { runId } = await client.call<{ runId: string }>('POST', `/api/flows/${flow.id}/tests`, {
      only: 'find',
      trigger: { output: { body: { code: '07-200' } } },
    });
    const trial = await until('the trial', async () => {
      const run = await client.call<RunDetail>('GET', `/api/runs/${runId}`);
      return run.finishedAt ? run : undefined;
    });
    expect(found(trial)).toMatchObject({ status: 'succeeded', output: { value: '5200', map: { version: 1 } } });
  });

  test('is found wrong before it is published, where its value map or column does not exist', async () => {
    const map = await make('Checked');
    const gone = { id: '6f9619ff-8b86-4011-b42d-00c04fc964ff', name: 'Never was' };
    for (const [step, code] of [
      [lookup(gone, { value: '1' }), 'value_map_missing'],
      [lookup(map, { column: 'class', value: '1' }), 'value_map_column_missing'],
      [node('core.lookup', 'Find the account', { source: 'map', value: '1' }), 'value_map_missing'],
      [node('core.lookup', 'Find the account', { value: '1' }), 'required_missing'],
    ] as const) {
      const { id, revision } = await client.call<FlowDetail>('POST', '/api/flows', { name: `Wrong: ${code}` });
      const document = {
        ...{ schema: 1, params: {}, connections: {}, positions: {} },
        nodes: { press: node('core.manual', 'Press'), find: step },
        edges: line('press', 'find'),
      };
      const { findings } = await client.call<FlowDetail>(
        'PUT',
        `/api/flows/${id}/draft`,
        { document },
        { 'If-Match': `"${revision}"` },
      );
      expect(findings.filter(({ nodeId }) => nodeId === 'find')).toMatchObject([{ code, severity: 'error' }]);
      expect(await refused('POST', `/api/flows/${id}/publish`, {})).toMatchObject({ code: 'flow_invalid' });
    }
  });
});

describe('a flow and its value map', () => {
  test('a map that is used is not deleted, and says by which flows', async () => {
    const map = await make('Used');
    const flow = await publishFlow(client, 'Uses it', {
      ...{ params: {}, connections: {} },
      nodes: { press: node('core.manual', 'Press'), find: lookup(map, { value: '03-100' }) },
      edges: line('press', 'find'),
    });
    expect(await client.call<ValueMapUse[]>('GET', `/api/value-maps/${map.id}/usage`)).toEqual([
      { flowId: flow.id, flowName: 'Uses it', status: 'on', live: true, draft: true, steps: ['Find the account'] },
    ]);
    const list = await client.call<ValueMapSummary[]>('GET', '/api/value-maps');
    expect(list.find(({ id }) => id === map.id)).toMatchObject({ flows: 1 });
    expect(await refused('DELETE', `/api/value-maps/${map.id}`)).toMatchObject({
      code: 'value_map_in_use',
      detail: '"Used" is used by "Uses it".',
    });
    await client.call('DELETE', `/api/flows/${flow.id}`);
    await client.call('DELETE', `/api/value-maps/${map.id}`);
  });

  test('leaves the house by name, and finds the map of that name where it comes in', async () => {
    const map = await make('Travels');
    const flow = await publishFlow(client, 'Goes abroad', {
      ...{ params: {}, connections: {} },
      nodes: { press: node('core.manual', 'Press'), find: lookup(map, { value: '03-100' }) },
      edges: line('press', 'find'),
    });
    await save(map, { name: 'Has travelled' });
    const { text } = await client.call<FlowExport>('GET', `/api/flows/${flow.id}/export`);
    expect(text).toContain('"name": "Has travelled"');
    expect(text).not.toContain(map.id);
    const imported = await client.call<FlowImported>('POST', '/api/flows/import', { text, dryRun: false });
    expect(imported.valueMaps).toEqual({ 'Has travelled': 'Has travelled' });
    const { draft, findings } = await client.call<FlowDetail>('GET', `/api/flows/${imported.flowId}`);
    expect(findings).toEqual([]);
    expect(draft.nodes['find']?.inputs['map']).toEqual({
      kind: 'literal',
      value: { id: map.id, name: 'Has travelled' },
    });
    const unknown = text.replace('Has travelled', 'Somebody else’s');
    const other = await client.call<FlowImported>('POST', '/api/flows/import', { text: unknown, dryRun: false });
    expect(other.valueMaps).toEqual({ 'Somebody else’s': null });
    const lacking = await client.call<FlowDetail>('GET', `/api/flows/${other.flowId}`);
    expect(lacking.findings).toMatchObject([{ code: 'value_map_missing' }]);
    const withId = text.replace('"name": "Has travelled"', `"id": "${map.id}", "name": "Has travelled"`);
    expect((await refused('POST', '/api/flows/import', { text: withId, dryRun: true })).findings).toMatchObject([
      { code: 'value_map_id_given' },
    ]);
  });
});
