import { loadCatalog } from '@plumbline/nodes';
import { beforeAll, describe, expect, test } from 'vitest';
import { catalogInfo } from '../catalog-info.ts';
import type { CatalogInfo } from './catalog.ts';
import { readFlowFile, writeFlowFile } from './flow-file.ts';
import type { FlowDocument } from './schema.ts';

let catalog: CatalogInfo;
beforeAll(async () => {
  catalog = catalogInfo(await loadCatalog());
});

const literal = (value: unknown) => ({ kind: 'literal' as const, value: value as never });
const document: FlowDocument = {
  schema: 1,
  params: {},
  connections: { slack: { connector: 'slack', title: 'Slack', id: '6f9619ff-8b86-4011-b42d-00c04fc964ff' } },
  nodes: {
    tell: {
      type: 'core.notify',
      version: 1,
      name: 'Tell',
      inputs: { title: literal('Hello'), body: { kind: 'expression', source: 'trigger.body.text' } },
    },
    incoming: { type: 'core.webhook', version: 1, name: 'Delivery', inputs: {} },
  },
  edges: [{ id: 'whatever', from: 'incoming', port: 'out', to: 'tell' }],
  positions: { tell: { x: 0, y: 150 }, incoming: { x: 0, y: 0 } },
};
const flow = { name: 'Tells', description: '', document };

describe('a flow as a file', () => {
  test('is the same text however its parts were ordered, and names no connection by id', () => {
    const { text } = writeFlowFile(flow);
    const { nodes, positions } = document;
    const turned = {
      ...document,
      nodes: Object.fromEntries(Object.entries(nodes).reverse()),
      positions: Object.fromEntries(Object.entries(positions).reverse()),
      edges: document.edges.map((edge) => ({ ...edge, id: 'other' })),
    };
    expect(writeFlowFile({ ...flow, document: turned }).text).toBe(text);
    expect(text).not.toMatch(/[0-9a-f]{8}-/);
    expect(text).toContain('    {"from":"incoming","port":"out","to":"tell"}\n');
  });

  test('changes one line when one field changes, and only places when a step moves', () => {
    const lines = (given: FlowDocument) => writeFlowFile({ ...flow, document: given }).text.split('\n');
    const changed = (given: FlowDocument) => lines(given).filter((text, index) => text !== lines(document)[index]);
    const { tell, incoming } = document.nodes;
    if (!tell || !incoming) throw new Error('The example has changed');
    const titled = { ...tell, inputs: { ...tell.inputs, title: literal('Good morning') } };
    expect(changed({ ...document, nodes: { incoming, tell: titled } })).toEqual([
      expect.stringContaining('Good morning'),
    ]);
    expect(changed({ ...document, positions: { ...document.positions, tell: { x: 9, y: 150 } } })).toEqual([
      '    "tell": {"x":9,"y":150}',
    ]);
  });

  test('comes back as it was, without the ids', () => {
    const { file, findings } = readFlowFile(writeFlowFile(flow).text, catalog);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(file?.document.nodes).toEqual(document.nodes);
    expect(file?.document.connections['slack']?.id).toBeNull();
    expect(writeFlowFile(file ?? flow).text).toBe(writeFlowFile(flow).text);
  });

  test('names the flows it calls, and holds no id of one', () => {
    const call = (value: unknown) => ({
      ...flow,
      document: {
        ...document,
        nodes: {
          ...document.nodes,
          call: { type: 'core.call-flow', version: 1, name: 'Call', inputs: { flow: literal(value) } },
        },
      },
    });
    const { text } = writeFlowFile(call({ name: 'Bills' }));
    expect(text).toContain('"name": "Bills"');
    expect(readFlowFile(text, catalog).file?.document.nodes['call']?.inputs['flow']).toEqual(
      literal({ name: 'Bills' }),
    );
    const id = '6f9619ff-8b86-4011-b42d-00c04fc964ff';
    expect(writeFlowFile(call(id)).text).not.toContain(id);
    const raw = JSON.parse(text) as { nodes: Record<string, { inputs: Record<string, unknown> }> };
    Object.assign(raw.nodes['call']?.inputs ?? {}, { flow: literal(id) });
    const byId = readFlowFile(JSON.stringify(raw), catalog);
    expect(byId.findings.map(({ code, nodeId }) => [code, nodeId])).toContainEqual(['flow_id_given', 'call']);
    expect(byId.file).toBeUndefined();
  });

  test('holds no secret, and says where one was left out', () => {
    const headers = literal([
      { name: 'Authorization', value: 'Bearer hush' },
      { name: 'Accept', value: 'text/plain' },
    ]);
    const call = {
      type: 'core.http-request',
      version: 1,
      name: 'Call',
      inputs: { url: literal('https://a.example'), headers, apiKey: literal('hush') },
    };
    const { text, leftOut } = writeFlowFile({ ...flow, document: { ...document, nodes: { ...document.nodes, call } } });
    expect(text).not.toContain('hush');
    expect(text).toContain('text/plain');
    expect(leftOut).toEqual(['nodes.call.inputs.apiKey', 'nodes.call.inputs.headers.0.value']);
  });
});

describe('a file of a drawing that has no end yet', () => {
  const raw = () => JSON.parse(writeFlowFile(flow).text) as Record<string, any>;
  const unfinished = () => {
    const half = raw();
    half['nodes'].tell.inputs.title = literal('');
    half['nodes'].stray = {
      ...{ type: 'core.notify', version: 1, name: 'Not connected yet' },
      inputs: { title: { kind: 'expression', source: 'steps.tell.id' } },
    };
    half['nodes'].loop = { type: 'core.for-each', version: 1, name: 'Empty', inputs: { items: literal([1]) } };
    return half;
  };

  test('can be taken in as a draft, and says what is missing; as a whole it is refused', () => {
    const text = JSON.stringify(unfinished());
    const { file, findings } = readFlowFile(text, catalog, 'draft');
    expect(Object.keys(file?.document.nodes ?? {})).toHaveLength(4);
    expect(findings.map(({ severity, code, nodeId }) => [severity, code, nodeId])).toEqual(
      expect.arrayContaining([
        ['warning', 'required_missing', 'tell'],
        ['warning', 'step_not_upstream', 'stray'],
        ['warning', 'loop_empty', 'loop'],
      ]),
    );
    expect(readFlowFile(text, catalog).file).toBeUndefined();
  });

  type Change = (half: Record<string, any>) => unknown;
  test.each<[string, string, Change]>([
    ['a circle', 'cycle', (half) => half['edges'].push({ from: 'tell', port: 'out', to: 'tell' })],
    ['a line to nowhere', 'edge_dangling', (half) => half['edges'].push({ from: 'tell', port: 'out', to: 'gone' })],
    ['an unknown field', 'field_unknown', (half) => (half['nodes'].tell.inputs.other = literal(1))],
    ['a wrong value', 'type_mismatch', (half) => (half['nodes'].tell.inputs.title = literal(7))],
    [
      'a broken expression',
      'expr_syntax',
      (half) => (half['nodes'].tell.inputs.title = { kind: 'expression', source: '(' }),
    ],
  ])('with %s is refused as a draft too', (_, code, change) => {
    const half: Record<string, any> = unfinished();
    change(half);
    const { file, findings } = readFlowFile(JSON.stringify(half), catalog, 'draft');
    expect(file).toBeUndefined();
    expect(findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)).toContain(code);
  });

  test('tells whether it has a description', () => {
    const { description: _, ...without } = raw();
    expect(readFlowFile(JSON.stringify(without), catalog).file).toMatchObject({ description: '', described: false });
    expect(readFlowFile(JSON.stringify(raw()), catalog).file).toMatchObject({ description: '', described: true });
  });
});

describe('a hostile file', () => {
  const hostile = (change: (raw: Record<string, any>) => void): string => {
    const raw = JSON.parse(writeFlowFile(flow).text) as Record<string, any>;
    change(raw);
    return JSON.stringify(raw);
  };
  const codesOf = (text: string) => [...new Set(readFlowFile(text, catalog).findings.map(({ code }) => code))];

  test('is told everything that is wrong with it at once', () => {
    const text = hostile((raw) => {
      raw['connections'].slack.id = '6f9619ff-8b86-4011-b42d-00c04fc964ff';
      raw['nodes'].odd = { type: 'core.no-such-thing', version: 1, name: '<script>alert(1)</script>', inputs: {} };
      raw['nodes'].tell.inputs.body.source = `${'('.repeat(400)}1${')'.repeat(400)}`;
      raw['nodes'].loop = { type: 'core.map', version: 1, name: 'Loop', inputs: { value: literal(1) } };
      raw['edges'].push({ from: 'incoming', port: 'out', to: 'nowhere' }, { from: 'loop', port: 'out', to: 'loop' });
    }).replace('"incoming":{', '"incoming":{"__proto__":{"polluted":true},');
    const { file, findings } = readFlowFile(text, catalog);
    expect(file).toBeUndefined();
    expect([...new Set(findings.map(({ code }) => code))]).toEqual(
      expect.arrayContaining([
        'connection_id_given',
        'key_forbidden',
        'markup_forbidden',
        'node_type_unknown',
        'edge_dangling',
        'cycle',
        'expr_too_deep',
      ]),
    );
    for (const { message, fix } of findings)
      expect([message, fix]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    ['no JSON', '{ "format": ', 'file_invalid'],
    ['a list', '[]', 'file_invalid'],
    ['another format', '{"format":"n8n"}', 'file_invalid'],
    ['deep nesting', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'file_invalid'],
    ['three megabytes', `"${'x'.repeat(3_000_000)}"`, 'file_invalid'],
    ['an unknown key', hostileKey(), 'flow_invalid'],
  ])('of %s is refused in words', (_, text, code) => {
    expect(readFlowFile(text, catalog).file).toBeUndefined();
    expect(codesOf(text)).toContain(code);
  });

  test('of 10,000 steps is refused', () => {
    const text = hostile((raw) => {
      for (let n = 0; n < 10_000; n++) raw['nodes'][`n${n}`] = { type: 'core.map', version: 1, name: 'x', inputs: {} };
    });
    expect(codesOf(text)).toContain('flow_too_large');
  });
});

function hostileKey(): string {
  return JSON.stringify({ format: 'plumbline.flow/1', name: 'x', nodes: {}, edges: [], surprise: 1 });
}
