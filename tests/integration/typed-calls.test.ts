import type {
  BrokenCaller,
  DraftSaved,
  FlowDetail,
  FlowExport,
  FlowImported,
  FlowPublished,
  Problem,
} from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { FlowInfo } from '@plumbline/workflows/flow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { line, node, publishFlow, type Drawing } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const amount = { id: 'amount', title: 'Amount', type: 'number', required: true };
/** Takes an amount, and hands back what it is called here. */
const books = (name = 'number', fields: readonly object[] = [amount]): Drawing => ({
  ...{ params: {}, connections: {} },
  nodes: {
    input: node('core.flow-input', 'Input', { fields }),
    back: node('core.return', 'Back', { values: `={"${name}": "B-1"}` }),
  },
  edges: line('input', 'back'),
});
const calls = (flow: string, inputs: object = {}, read = 'steps.call.result.number'): Drawing => ({
  ...{ params: {}, connections: {} },
  nodes: {
    incoming: node('core.webhook', 'Incoming'),
    call: node('core.call-flow', 'Call', { flow, values: { amount: 1 }, ...inputs }),
    shape: node('core.map', 'Shape', { value: `={"got": ${read}}` }),
  },
  edges: line('incoming', 'call', 'shape'),
});

const read = (id: string) => client.call<FlowDetail>('GET', `/api/flows/${id}`);
async function draw(id: string, drawing: Drawing): Promise<DraftSaved> {
  const { name, revision } = await read(id);
  const document = { schema: 1, positions: {}, ...drawing };
  return await client.call('PUT', `/api/flows/${id}/draft`, { name, document }, { 'If-Match': `"${revision}"` });
}
const publish = (id: string) => client.call<FlowPublished>('POST', `/api/flows/${id}/publish`, {});
const codes = ({ findings }: Pick<DraftSaved, 'findings'>) =>
  findings.map(({ code, severity, field }) => `${severity} ${code} ${field}`);
const infoOf = async (id: string) =>
  (await client.call<FlowInfo[]>('GET', '/api/flows/interfaces')).find((flow) => flow.id === id);

describe('a call of another flow', () => {
  test('is checked when it is saved and when it is published, against the version that it would call', async () => {
    const called = await publishFlow(client, 'Books', books());
    const caller = await publishFlow(client, 'Calls', calls(called.id));
    expect(await draw(caller.id, calls(called.id, { values: {} }, 'steps.call.result.nubmer'))).toMatchObject({
      findings: [
        { code: 'required_missing', field: 'values.amount' },
        { code: 'path_unknown', fix: 'Did you mean "number"?' },
      ],
    });
    const refused = await client.fetch('POST', `/api/flows/${caller.id}/publish`, {});
    expect([refused.status, (await refused.json()) as Problem]).toMatchObject([422, { code: 'flow_invalid' }]);

    await draw(called.id, books('reference'));
    expect((await publish(called.id)).number).toBe(2);
    expect(codes(await draw(caller.id, calls(called.id)))).toEqual(['error path_unknown value']);
    expect(codes(await draw(caller.id, calls(called.id, { version: 1 })))).toEqual([]);
    expect(codes(await draw(caller.id, calls(called.id, { version: 3 }, '1')))).toEqual([
      'error flow_version_missing version',
    ]);
  });

  test('leaves the house by name, and finds the flow of that name where it comes in', async () => {
    const called = await publishFlow(client, 'Known here', books());
    const caller = await publishFlow(client, 'Travels', calls(called.id));
    const { text } = await client.call<FlowExport>('GET', `/api/flows/${caller.id}/export`);
    expect(text).not.toContain(called.id);
    const bring = async (changed: string, more: object = {}): Promise<FlowImported & { readonly calls: unknown }> => {
      const imported = await client.call<FlowImported>('POST', '/api/flows/import', {
        ...{ text: changed, dryRun: false },
        ...more,
      });
      const { draft } = await read(imported.flowId ?? '');
      return { ...imported, calls: draft.nodes['call']?.inputs['flow'] };
    };
    const found = await bring(text);
    expect(found).toMatchObject({ calledFlows: { 'Known here': 'Known here' }, calls: { value: called.id } });

    const open = await bring(text.replace('Known here', 'Known elsewhere'));
    expect(open).toMatchObject({ calledFlows: { 'Known elsewhere': null } });
    expect(open.calls).toBeUndefined();
    expect(codes(await read(open.flowId ?? ''))).toContain('error required_missing flow');

    // Two of that name: the one that the step calls already, and otherwise nobody knows which.
    await publishFlow(client, 'Known here', books());
    expect(await bring(text)).toMatchObject({ calledFlows: { 'Known here': null } });
    expect(await bring(text, { into: caller.id })).toMatchObject({ calls: { value: called.id } });
  });

  test('of itself is one of what it becomes, wherever it comes in', async () => {
    const { id } = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Calls itself' });
    await draw(id, calls(id));
    const { text } = await client.call<FlowExport>('GET', `/api/flows/${id}/export`);
    const imported = await client.call<FlowImported>('POST', '/api/flows/import', { text, dryRun: false });
    expect(imported.flowId).not.toBe(id);
    expect((await read(imported.flowId ?? '')).draft.nodes['call']?.inputs['flow']).toEqual({
      ...{ kind: 'literal', value: imported.flowId },
    });
  });

  test('is told of a flow that is not published, takes no calls, or is gone', async () => {
    const called = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Comes and goes' });
    const caller = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Waits for it' });
    const seen = async () => codes(await draw(caller.id, calls(called.id, { values: {} }, '1')));
    await draw(called.id, books());
    expect(await seen()).toEqual(['warning flow_not_published flow']);
    await draw(called.id, { ...books(), nodes: { input: node('core.manual', 'By hand') }, edges: [] });
    await publish(called.id);
    expect(await seen()).toEqual(['warning flow_takes_no_calls flow']);
    await client.call('DELETE', `/api/flows/${called.id}`);
    expect(await seen()).toEqual(['error flow_missing flow']);
  });

  test('of a flow by itself is not held against the version before', async () => {
    const flow = await publishFlow(client, 'Calls itself', books());
    const drawing = books('number', [amount, { id: 'depth', title: 'Depth', type: 'number', required: true }]);
    const call = node('core.call-flow', 'Again', { flow: flow.id, values: { amount: 1, depth: 2 } });
    await draw(flow.id, { ...drawing, nodes: { ...drawing.nodes, call }, edges: line('input', 'call', 'back') });
    expect((await publish(flow.id)).number).toBe(2);
  });
});

describe('the interface of a flow', () => {
  test('is kept with each version, told once for those that have the same, and worked out for those from before', async () => {
    const flow = await publishFlow(client, 'Kept', books());
    await draw(flow.id, { ...books(), params: { p: { title: 'P', type: 'number', value: 1 } } });
    await publish(flow.id);
    await draw(flow.id, books('reference'));
    await publish(flow.id);
    const told = await infoOf(flow.id);
    expect(told).toMatchObject({
      name: 'Kept',
      publishedVersion: 3,
      latestVersion: 3,
      interfaces: [
        { since: 1, interface: { fields: [amount], result: { properties: { number: { type: 'string' } } } } },
        { since: 3, interface: { result: { required: ['reference'] } } },
      ],
    });
    const { rows } = await up.owner.query(
      'select interface is not null as kept from flow_versions where flow_id = $1',
      [flow.id],
    );
    expect(rows).toEqual([{ kept: true }, { kept: true }, { kept: true }]);
    await up.owner.query('update flow_versions set interface = null where flow_id = $1', [flow.id]);
    expect(await infoOf(flow.id)).toEqual(told);
    const caller = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Calls the old' });
    expect(codes(await draw(caller.id, calls(flow.id)))).toEqual(['error path_unknown value']);
  });

  test('is that of the drawing while there is no version', async () => {
    const flow = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Only drawn' });
    expect(await infoOf(flow.id)).toMatchObject({ publishedVersion: null, draft: { kind: 'not_callable' } });
    await draw(flow.id, books());
    expect(await infoOf(flow.id)).toMatchObject({ interfaces: [], draft: { kind: 'callable', fields: [amount] } });
  });
});

test('publishing says whom it breaks: those that are live, ask for no version, and read or hand over what has changed', async () => {
  const called = await publishFlow(client, 'Changes', books());
  const reads = await publishFlow(client, 'Reads the number', calls(called.id));
  await publishFlow(client, 'Asks for version 1', calls(called.id, { version: 1 }));
  await publishFlow(client, 'Reads nothing', calls(called.id, {}, 'steps.call.runId'));
  const broken = (query = '') => client.call<BrokenCaller[]>('GET', `/api/flows/${called.id}/broken-callers${query}`);
  expect(await broken()).toEqual([]);

  await draw(called.id, books('reference'));
  const expected = [{ flowId: reads.id, flowName: 'Reads the number', findings: [{ code: 'path_unknown' }] }];
  expect(await broken()).toMatchObject(expected);
  expect((await publish(called.id)).brokenCallers).toMatchObject(expected);
  // Broken already, so no further change breaks it; going back would mend it.
  expect(await broken()).toEqual([]);
  expect(await broken('?version=1')).toEqual([]);

  const due = { id: 'due', title: 'Due', type: 'date', required: true };
  await draw(called.id, books('reference', [amount, due]));
  const { brokenCallers } = await publish(called.id);
  expect(brokenCallers.map(({ flowName, findings }) => [flowName, findings.map(({ field }) => field)])).toEqual([
    ['Reads nothing', ['values.due']],
    ['Reads the number', ['values.due']],
  ]);
  const back = await client.call<FlowPublished>('POST', `/api/flows/${called.id}/versions/1/publish`, {});
  expect(back).toMatchObject({ number: 4, brokenCallers: [] });
});
