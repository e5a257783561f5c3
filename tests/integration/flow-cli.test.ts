import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FlowDetail, FlowImported, Page, Problem, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { line, node, publishFlow } from '../support/webhook-flow.ts';

const entry = fileURLToPath(new URL('../../engine/src/flow-main.ts', import.meta.url));
let up: TestPlatform;
let client: StudioClient;
let folder: string;
let flow: FlowDetail;

beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  folder = await mkdtemp(join(tmpdir(), 'plumbline-cli-'));
  const connection = await client.connectSandbox('slack');
  flow = await publishFlow(client, 'Say it', {
    params: {},
    connections: { slack: { id: connection.id, connector: 'slack', title: connection.name } },
    nodes: {
      begin: node('core.manual', 'Somebody starts it'),
      tell: node('core.notify', 'Tell the office', { title: '=trigger.values.title', body: 'From the command line' }),
    },
    edges: line('begin', 'tell'),
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await up[Symbol.asyncDispose]();
});

/** Runs the command as a pipeline would. */
function flowCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = { PLUMBLINE_URL: up.origin },
) {
  return new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', entry, ...args],
      { env: { PATH: process.env['PATH'] ?? '', INIT_CWD: folder, ...environment } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });
}

describe('export and import', () => {
  test('take a flow to a file and back; the file is the same each time, and names connections and no ids', async () => {
    expect(await flowCommand(['export', 'Say it', '--out', 'one.json'])).toMatchObject({ code: 0, err: '' });
    const { code, out } = await flowCommand(['export', flow.id]);
    const file = await readFile(join(folder, 'one.json'), 'utf8');
    expect([code, out]).toEqual([0, file]);
    expect(file).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect(await flowCommand(['validate', 'one.json'], {})).toMatchObject({ code: 0 });

    const imported = await flowCommand(['import', 'one.json', '--name', 'Said again', '--json']);
    expect(imported.code).toBe(0);
    const { flowId, connections } = JSON.parse(imported.out) as FlowImported;
    const draft = await client.call<FlowDetail>('GET', `/api/flows/${flowId}`);
    expect(draft).toMatchObject({ name: 'Said again', status: 'draft', publishedVersion: null });
    // The slot found the company's own connection of that name.
    expect(draft.draft.connections['slack']?.id).toBe(flow.draft.connections['slack']?.id);
    expect(connections).toEqual({ slack: flow.draft.connections['slack']?.title });
  });

  test('into a flow that is there replaces its draft, and neither publishes nor runs anything', async () => {
    const text = (await readFile(join(folder, 'one.json'), 'utf8')).replace('From the command line', 'From a file');
    await writeFile(join(folder, 'two.json'), text);
    expect(await flowCommand(['import', 'two.json', '--into', 'Say it'])).toMatchObject({ code: 0 });
    const after = await client.call<FlowDetail>('GET', `/api/flows/${flow.id}`);
    expect(after).toMatchObject({ publishedVersion: 1, hasUnpublishedChanges: true, name: 'Say it' });
    expect((await client.call<Page<RunSummary>>('GET', '/api/runs')).items).toEqual([]);
  });

  test('into a flow that is there brings its description along, and a file that has none leaves it', async () => {
    const file = JSON.parse(await readFile(join(folder, 'two.json'), 'utf8')) as Record<string, unknown>;
    const describedIn = async (name: string, content: object) => {
      await writeFile(join(folder, name), JSON.stringify(content));
      expect(await flowCommand(['import', name, '--into', 'Say it'])).toMatchObject({ code: 0 });
      return (await client.call<FlowDetail>('GET', `/api/flows/${flow.id}`)).description;
    };
    expect(await describedIn('told.json', { ...file, description: 'Says what is said.' })).toBe('Says what is said.');
    const { description: _, ...without } = file;
    expect(await describedIn('untold.json', without)).toBe('Says what is said.');
    expect(await describedIn('cleared.json', { ...file, description: '' })).toBe('');
  });

  test('take a draft that is not drawn to its end there and back, which is not valid yet', async () => {
    const { id, revision } = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Half drawn' });
    const nodes = {
      begin: node('core.manual', 'Somebody starts it'),
      tell: node('core.notify', 'Tell the office', { title: '', body: 'No title yet' }),
    };
    const document = { ...{ schema: 1, positions: {}, params: {}, connections: {} }, nodes, edges: [] };
    await client.call(
      'PUT',
      `/api/flows/${id}/draft`,
      { name: 'Half drawn', document },
      { 'If-Match': `"${revision}"` },
    );
    expect(await flowCommand(['export', 'Half drawn', '--out', 'half.json'])).toMatchObject({ code: 0 });
    const checked = await flowCommand(['validate', 'half.json'], {});
    expect([checked.code, checked.out]).toEqual([1, expect.stringContaining('error   required_missing at tell.title')]);
    const imported = await flowCommand(['import', 'half.json', '--name', 'Half drawn too', '--json']);
    expect(imported.code).toBe(0);
    const { flowId, findings } = JSON.parse(imported.out) as FlowImported;
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: 'warning', code: 'required_missing', nodeId: 'tell', field: 'title' }),
    );
    expect((await client.call<FlowDetail>('GET', `/api/flows/${flowId}`)).draft.nodes).toEqual(nodes);
  });

  test('a dry run makes nothing', async () => {
    const before = (await client.call<Page<FlowDetail>>('GET', '/api/flows')).items.length;
    expect(await flowCommand(['import', 'one.json', '--dry-run'])).toMatchObject({ code: 0 });
    expect((await client.call<Page<FlowDetail>>('GET', '/api/flows')).items).toHaveLength(before);
  });

  test('a file that is wrong in many ways is refused with all of them, by the server and without one, and nothing is made', async () => {
    const hostile = JSON.parse(await readFile(join(folder, 'one.json'), 'utf8')) as Record<
      string,
      Record<string, object>
    >;
    Object.assign(hostile['connections']?.['slack'] ?? {}, { id: flow.draft.connections['slack']?.id });
    Object.assign(hostile['nodes'] ?? {}, {
      odd: { type: 'core.none', version: 1, name: '<script>x</script>', inputs: {} },
    });
    (hostile['edges'] as unknown as object[]).push({ from: 'begin', port: 'out', to: 'nowhere' });
    await writeFile(
      join(folder, 'bad.json'),
      JSON.stringify(hostile).replace('"nodes":{', '"nodes":{"__proto__":{"x":1},'),
    );
    const codes = ['connection_id_given', 'key_forbidden', 'markup_forbidden', 'node_type_unknown', 'edge_dangling'];

    const offline = await flowCommand(['validate', 'bad.json', 'one.json'], {});
    expect(offline.code).toBe(1);
    for (const code of codes) expect(offline.out).toContain(code);
    expect(offline.out).toContain('one.json: valid');

    const before = (await client.call<Page<FlowDetail>>('GET', '/api/flows')).items.length;
    const refused = await flowCommand(['import', 'bad.json', '--json']);
    expect(refused.code).toBe(1);
    const problem = JSON.parse(refused.out) as Problem;
    expect(problem).toMatchObject({ status: 422, code: 'flow_invalid' });
    expect(problem.findings?.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
    expect((await client.call<Page<FlowDetail>>('GET', '/api/flows')).items).toHaveLength(before);
  });
});

describe('run', () => {
  test('starts a flow with values and follows it to its end', async () => {
    const { code, out } = await flowCommand(['run', 'Say it', '--value', 'title=Hello', '--json']);
    expect([code, (JSON.parse(out) as { status: string }).status]).toEqual([0, 'succeeded']);
  });

  test('says when the run waits for a person, and why', async () => {
    const { code, out } = await flowCommand(['run', 'Say it']);
    expect(code).toBe(4);
    expect(out).toMatch(/parked\s+Tell the office/);
    expect(out).toMatch(/got nothing for Title/);
  });
});

test.each([
  [['run', 'No such flow'], {}, 1, /There is no flow "No such flow".*"Say it"/s],
  [['run'], {}, 2, /needs a flow/],
  [['validate', 'nowhere.json'], {}, 2, /cannot be read/],
  [['export', 'x'], { PLUMBLINE_URL: 'http://127.0.0.1:1' }, 3, /does not answer/],
  [
    ['export', 'x'],
    { PLUMBLINE_EMAIL: 'dana@hartwell.example', PLUMBLINE_PASSWORD: 'wrong-password' },
    3,
    /did not let dana/,
  ],
] as const)('%j %j ends with %i and says why', async (args, environment, code, why) => {
  const ended = await flowCommand([...args], { PLUMBLINE_URL: up.origin, ...environment });
  expect(ended.code).toBe(code);
  expect(ended.err).toMatch(why);
});
