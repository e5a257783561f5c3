import { readdir, readFile } from 'node:fs/promises';
import { loadCatalog } from '@plumbline/nodes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogInfo } from '../../catalog-info.ts';
import { planHash } from '../../plan-hash.ts';
import type { FindingCode } from '../finding.ts';
import { flowDocumentSchema, limits, type FlowDocument, type FlowNode, type Mapping } from '../schema.ts';
import { compile, parseFlow } from './compile.ts';

const info = catalogInfo(await loadCatalog());
const folder = new URL('../../../templates/', import.meta.url);
const templates = await Promise.all(
  (await readdir(folder)).map(async (slug) => ({
    slug,
    document: flowDocumentSchema.parse(JSON.parse(await readFile(new URL(`${slug}/flow.json`, folder), 'utf8'))),
  })),
);

const literal = (value: unknown): Mapping => ({ kind: 'literal', value: value as never });
const expression = (source: string): Mapping => ({ kind: 'expression', source });
const node = (type: string, inputs: Record<string, Mapping> = {}, more: Partial<FlowNode> = {}): FlowNode => ({
  type,
  version: 1,
  name: type,
  inputs,
  ...more,
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** Chooses an account for every slot and a value for every setting. */
function completed(document: FlowDocument): FlowDocument {
  const copy = structuredClone(document);
  for (const slot of Object.values(copy.connections)) slot.id = '018f0000-0000-7000-8000-000000000001';
  for (const param of Object.values(copy.params)) param.value = 'C07000002';
  return copy;
}

/** A trigger, a condition with two ways, and a step behind both. Nothing is wrong with it. */
function sound(): FlowDocument {
  return {
    schema: 1,
    params: { limit: { title: 'Limit', type: 'number', value: 10_000 } },
    connections: { slack: { connector: 'slack', title: 'Slack', id: '018f0000-0000-7000-8000-000000000002' } },
    nodes: {
      approved: node('core.record-event', { entity: literal('vendor_invoice'), change: literal('approved') }),
      large: node('core.if', { condition: expression('$number(trigger.record.total) > params.limit') }),
      shape: node('core.map', { value: expression('{ "vendor": trigger.record.vendorName }') }),
      tell: node(
        'slack.send-message',
        { channel: literal('C07000002'), text: expression('"From " & steps.approved.record.vendorName') },
        { connection: 'slack' },
      ),
    },
    edges: [
      edge('approved', 'large'),
      edge('large', 'shape', 'then'),
      edge('large', 'tell', 'else'),
      edge('shape', 'tell'),
    ],
    positions: { approved: { x: 0, y: 0 }, large: { x: 0, y: 100 } },
  };
}

function changed(change: (document: FlowDocument) => unknown): FlowDocument {
  const document = sound();
  change(document);
  return document;
}

const given = (nodeId: string, inputs: Record<string, Mapping>): FlowDocument =>
  changed(({ nodes }) => Object.assign(nodes[nodeId]?.inputs ?? {}, inputs));
const text = (source: string): FlowDocument => given('tell', { text: expression(source) });

describe('the templates', () => {
  test.each(templates)('$slug lacks its connections and settings, and nothing else', ({ document }) => {
    const { findings, plan } = compile(document, info);
    expect(plan).toBeUndefined();
    const needing = Object.values(document.nodes).filter((one) => one.connection !== undefined);
    const lacking = [...(needing.length > 0 ? ['connection_missing'] : []), 'param_missing'];
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(lacking));
    expect(findings.filter(({ code }) => code === 'connection_missing')).toHaveLength(needing.length);
    expect(findings.filter(({ code }) => code === 'param_missing')).toHaveLength(Object.keys(document.params).length);
  });

  test.each(templates)('$slug compiles without a finding once they are chosen', ({ document }) => {
    const { findings, plan } = compile(completed(document), info);
    expect(findings).toEqual([]);
    expect(Object.keys(plan?.steps ?? {}).sort()).toEqual(Object.keys(document.nodes).sort());
    expect(plan?.graph.edges).toHaveLength(document.edges.length);
  });
});

/** One flow a code. `at` is the marked text of the expression. */
const wrong: readonly {
  readonly code: FindingCode;
  readonly name: string;
  readonly document: FlowDocument;
  readonly severity?: 'warning';
  readonly nodeId?: string;
  readonly field?: string;
  readonly suggestion?: string;
  readonly at?: { readonly start: number; readonly end: number };
}[] = [
  {
    code: 'path_unknown',
    name: 'a misspelt field',
    document: text('trigger.record.vendorNmae'),
    nodeId: 'tell',
    field: 'text',
    suggestion: 'trigger.record.vendorName',
    at: { start: 15, end: 25 },
  },
  {
    code: 'path_unknown',
    name: 'a field of a list’s items',
    document: text('$join(trigger.record.lines.amonut)'),
    nodeId: 'tell',
    field: 'text',
    suggestion: '$join(trigger.record.lines.amount)',
  },
  {
    code: 'path_unknown',
    name: 'a name that every object has',
    document: text('$string(trigger.record.constructor)'),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'path_unknown',
    name: 'a step that is not there',
    document: text('$string(steps.nobody.id)'),
    nodeId: 'tell',
    field: 'text',
  },
  { code: 'path_unknown', name: 'the environment', document: text('process.env.HOME'), nodeId: 'tell', field: 'text' },
  {
    code: 'step_not_upstream',
    name: 'a step behind',
    document: given('large', { condition: expression('$exists(steps.tell.ts)') }),
    nodeId: 'large',
    field: 'condition',
  },
  {
    code: 'step_maybe_skipped',
    name: 'a step of one way only',
    document: text('$string(steps.shape)'),
    severity: 'warning',
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'step_maybe_skipped',
    name: 'a step that is switched off',
    document: changed(({ nodes, edges }) => {
      Object.assign(nodes['shape'] ?? {}, { disabled: true });
      edges.splice(2, 1);
      Object.assign(nodes['tell']?.inputs ?? {}, { text: expression('$string(steps.shape)') });
    }),
    severity: 'warning',
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'cycle',
    name: 'two steps in a circle',
    document: changed(({ edges }) => edges.push(edge('tell', 'shape'))),
    nodeId: 'shape',
  },
  {
    code: 'cycle',
    name: 'a step that leads to itself',
    document: changed(({ edges }) => edges.push(edge('tell', 'tell'))),
    nodeId: 'tell',
  },
  {
    code: 'edge_dangling',
    name: 'a connection to nowhere',
    document: changed(({ edges }) => edges.push(edge('tell', 'nowhere'))),
    nodeId: 'tell',
  },
  {
    code: 'edge_dangling',
    name: 'a connection from nowhere',
    document: changed(({ edges }) => edges.push(edge('nowhere', 'tell'))),
    nodeId: 'tell',
  },
  {
    code: 'edge_duplicate',
    name: 'the same connection twice',
    document: changed(({ edges }) => edges.push({ ...edge('shape', 'tell'), id: 'again' })),
    nodeId: 'shape',
  },
  {
    code: 'join_unmet',
    name: 'a step that waits for more ways than lead to it',
    document: changed(({ nodes }) => Object.assign(nodes['tell'] ?? {}, { join: { mode: 'count', count: 3 } })),
    nodeId: 'tell',
  },
  {
    code: 'join_unmet',
    name: 'a step that waits for two ways, even for a time, where one leads to it',
    document: changed(({ nodes }) =>
      Object.assign(nodes['shape'] ?? {}, { join: { mode: 'count', count: 2, timeoutSeconds: 60 } }),
    ),
    nodeId: 'shape',
  },
  {
    code: 'passed_undrawn',
    name: 'a condition that is switched off, and only the other way goes on',
    document: changed(({ nodes, edges }) => {
      Object.assign(nodes['large'] ?? {}, { disabled: true });
      delete nodes['shape'];
      edges.splice(1, 3, edge('large', 'tell', 'else'));
    }),
    severity: 'warning',
    nodeId: 'large',
  },
  {
    code: 'port_unknown',
    name: 'a way out that is not there',
    document: changed(({ edges }) => edges.push(edge('large', 'tell', 'maybe'))),
    nodeId: 'large',
  },
  {
    code: 'port_unknown',
    name: 'an error way of a step that stops the run',
    document: changed(({ edges, nodes }) => {
      Object.assign(nodes['shape'] ?? {}, { onError: 'stop' });
      edges.push(edge('shape', 'tell', 'error'));
    }),
    nodeId: 'shape',
  },
  { code: 'required_missing', name: 'an empty required field', document: text('  '), nodeId: 'tell', field: 'text' },
  {
    code: 'required_missing',
    name: 'an absent required field',
    document: changed(({ nodes }) => delete nodes['tell']?.inputs['channel']),
    nodeId: 'tell',
    field: 'channel',
  },
  {
    code: 'field_unknown',
    name: 'a field that the step does not have',
    document: given('tell', { colour: literal('red') }),
    nodeId: 'tell',
    field: 'colour',
  },
  {
    code: 'field_unknown',
    name: 'a field with a name that every object has',
    document: given('tell', { toString: literal('red') }),
    nodeId: 'tell',
    field: 'toString',
  },
  {
    code: 'type_mismatch',
    name: 'a number where text is needed',
    document: text('1 + 1'),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'type_mismatch',
    name: 'text where yes or no is needed',
    document: given('large', { condition: expression('trigger.record.total') }),
    nodeId: 'large',
    field: 'condition',
  },
  {
    code: 'type_mismatch',
    name: 'a literal of another type',
    document: given('large', { condition: literal('yes') }),
    nodeId: 'large',
    field: 'condition',
  },
  {
    code: 'type_mismatch',
    name: 'a literal that is no choice',
    document: given('approved', { change: literal('vanished') }),
    nodeId: 'approved',
    field: 'change',
  },
  {
    code: 'type_mismatch',
    name: 'a literal that is too long',
    document: given('tell', { channel: literal('x'.repeat(101)) }),
    nodeId: 'tell',
    field: 'channel',
  },
  {
    code: 'type_mismatch',
    name: 'a case with an id that no port may have',
    document: changed(({ nodes }) => {
      nodes['way'] = node('core.switch', {
        value: literal('x'),
        cases: literal([{ id: 'No Good', title: 'x', equals: 'x' }]),
      });
    }),
    nodeId: 'way',
    field: 'cases',
  },
  {
    code: 'type_mismatch',
    name: 'a case that takes the default’s way',
    document: changed(({ nodes }) => {
      nodes['way'] = node('core.switch', {
        value: literal('x'),
        cases: literal([{ id: 'default', title: 'x', equals: 'x' }]),
      });
    }),
    nodeId: 'way',
    field: 'cases',
  },
  {
    code: 'expr_syntax',
    name: 'half an expression',
    document: text('"From " & ('),
    nodeId: 'tell',
    field: 'text',
    at: { start: 10, end: 11 },
  },
  {
    code: 'expr_forbidden',
    name: 'text run as code',
    document: text('$eval(trigger.record.memo)'),
    nodeId: 'tell',
    field: 'text',
    at: { start: 4, end: 5 },
  },
  {
    code: 'expr_forbidden',
    name: 'text run as code by a pipe',
    document: text('trigger.record.memo ~> $eval'),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'expr_too_long',
    name: 'an expression of 16 KB and one',
    document: text(`"${'é'.repeat(limits.expressionBytes / 2)}"`),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'expr_too_deep',
    name: '65 brackets',
    document: text('('.repeat(65) + '"x"' + ')'.repeat(65)),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'expr_too_deep',
    name: 'brackets behind a quote in a pattern',
    document: text(`$contains("", /"/) ? "" : ${'('.repeat(7_000)}1${')'.repeat(7_000)}`),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'expr_too_deep',
    name: 'signs without brackets',
    document: text(`${'-'.repeat(8_000)}1`),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'regex_unsafe',
    name: 'a pattern with look-ahead',
    document: text('$replace(trigger.record.number, /(?=a)/, "")'),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'regex_unsafe',
    name: 'a pattern with a back-reference',
    document: text(String.raw`$replace(trigger.record.number, /(a)\1/, "")`),
    nodeId: 'tell',
    field: 'text',
  },
  {
    code: 'trigger_missing',
    name: 'nothing that starts it',
    document: changed((document) => {
      delete document.nodes['approved'];
      document.edges.shift();
    }),
  },
  {
    code: 'trigger_missing',
    name: 'nothing at all',
    document: { schema: 1, params: {}, connections: {}, nodes: {}, edges: [], positions: {} },
  },
  {
    code: 'trigger_has_input',
    name: 'a way into the trigger',
    document: changed(({ edges }) => edges.push(edge('tell', 'approved'))),
    nodeId: 'approved',
  },
  {
    code: 'edge_id_duplicate',
    name: 'an id that two connections have',
    document: changed(({ edges }) => Object.assign(edges[1] ?? {}, { id: edges[0]?.id })),
    nodeId: 'large',
  },
  {
    code: 'node_unreachable',
    name: 'a step that nothing leads to',
    document: changed(({ nodes }) => {
      nodes['alone'] = node('core.stop');
    }),
    severity: 'warning',
    nodeId: 'alone',
  },
  {
    code: 'node_type_unknown',
    name: 'a step type that is not there',
    document: changed(({ nodes }) => {
      nodes['odd'] = node('core.teleport');
    }),
    nodeId: 'odd',
  },
  {
    code: 'node_type_unknown',
    name: 'a version that is not there',
    document: changed(({ nodes }) => {
      nodes['odd'] = node('core.stop', {}, { version: 9 });
    }),
    nodeId: 'odd',
  },
  {
    code: 'connection_missing',
    name: 'no account chosen',
    document: changed(({ connections }) => Object.assign(connections['slack'] ?? {}, { id: null })),
    nodeId: 'tell',
    field: 'connection',
  },
  {
    code: 'connection_missing',
    name: 'a slot that is not there',
    document: changed(({ nodes }) => Object.assign(nodes['tell'] ?? {}, { connection: 'constructor' })),
    nodeId: 'tell',
    field: 'connection',
  },
  {
    code: 'connection_mismatch',
    name: 'another vendor’s account',
    document: changed(({ connections }) => Object.assign(connections['slack'] ?? {}, { connector: 'quickbooks' })),
    nodeId: 'tell',
    field: 'connection',
  },
  {
    code: 'param_missing',
    name: 'an empty setting that is read',
    document: changed(({ params }) => Object.assign(params['limit'] ?? {}, { value: null })),
    field: 'params.limit',
  },
  {
    code: 'flow_too_large',
    name: '501 steps',
    document: changed(({ nodes }) => {
      for (let index = 0; index < limits.nodes; index++) nodes[`n${index}`] = node('core.stop');
    }),
  },
  {
    code: 'flow_too_large',
    name: '5,000 mappings',
    document: given('tell', Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, literal(1)]))),
  },
];

describe('a finding', () => {
  test.each(wrong)('$code: $name', ({ code, document, severity = 'error', nodeId, field, suggestion, at }) => {
    const { findings, plan } = compile(document, info);
    const found = findings.find(
      (finding) =>
        finding.code === code && finding.nodeId === nodeId && (field === undefined || finding.field === field),
    );
    expect(found, JSON.stringify(findings)).toMatchObject({ severity, ...(at ? { at } : {}) });
    expect(found?.message).toMatch(/\S.*[.?]$/s);
    expect(found?.message).not.toMatch(/undefined|\[object|call stack/);
    expect(found?.fix).toMatch(/\S/);
    expect(found?.suggestion?.source).toBe(suggestion);
    if (severity === 'error') expect(plan).toBeUndefined();
    else expect(plan).toBeDefined();
  });

  test('is not made up: the sound flow has none', () => {
    expect(compile(sound(), info).findings).toEqual([]);
  });

  test.each([
    ['a field that only shares its name with a step', 'trigger.record.memo & steps.approved.event.type'],
    ['a fallback', '(trigger.record.memo ?: "none")'],
    ['what the studio itself inserts', '$string(params.limit) & run.id & company.name & run.startedAt'],
    ['variables', '($total := $moneySum(trigger.record.lines.amount); "Total " & $total)'],
    ['a sorted list', '$join(trigger.record.lines^(>amount).description, ", ")'],
    ['a filter', '$join(trigger.record.lines[amount != "0"].description, ", ")'],
    ['a lambda', '$join($map(trigger.record.lines, function($line) { $line.costCode }), ", ")'],
  ])('is not raised for %s', (_name, source) => {
    expect(compile(text(source), info).findings).toEqual([]);
  });

  test('is not raised for a setting that nothing reads, whatever shares the start of its name', () => {
    const document = changed(({ params }) => {
      params['lim'] = { title: 'Unused', type: 'text', value: null };
    });
    expect(compile(document, info).findings).toEqual([]);
  });
});

describe('a plan', () => {
  const reads = (source: string) => {
    const mapping = compile(text(source), info).plan?.steps['tell']?.inputs['text'];
    return mapping?.kind === 'expression' ? mapping.reads : undefined;
  };

  test('loads for each mapping only the steps that it reads', () => {
    expect(reads('"fixed"')).toEqual([]);
    expect(reads('trigger.record.number')).toEqual([]);
    expect(reads('steps.approved.record.number & $$.steps.large.matched')).toEqual(['approved', 'large']);
    expect(reads('$join(trigger.record.lines.($$.steps.approved.record.number & description))')).toEqual(['approved']);
    expect(reads('$string(steps)')).toEqual(['*']);
    expect(reads('($all := steps; $all.approved.record.number)')).toEqual(['*']);
    expect(reads('$string($lookup($$, "steps"))')).toEqual(['*']);
    expect(reads('$string(**.number)')).toEqual(['*']);
  });

  test('lists every step after all that lead to it', () => {
    const order = compile(sound(), info).plan?.graph.nodes.map(({ id }) => id);
    expect(order).toEqual(['approved', 'large', 'shape', 'tell']);
  });

  const hashOf = (document: FlowDocument): string => {
    const { plan, findings } = compile(document, info);
    if (!plan) throw new Error(JSON.stringify(findings));
    return planHash(plan);
  };

  test('has the same hash whatever the order of keys and edges, and wherever the boxes stand', () => {
    const shuffledKeys = (value: unknown, seed: () => number): unknown => {
      if (Array.isArray(value)) return value.map((item) => shuffledKeys(item, seed));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .map(([key, item]) => [seed(), key, shuffledKeys(item, seed)] as const)
          .sort(([a], [b]) => a - b)
          .map(([, key, item]) => [key, item]),
      );
    };
    const expected = hashOf(sound());
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.integer(),
        (numbers, order, x) => {
          const document = shuffledKeys(sound(), () => numbers.next().value) as FlowDocument;
          const edges = order.map((index) => ({
            ...(document.edges[index] as FlowDocument['edges'][number]),
            id: `e${index}`,
          }));
          expect(hashOf({ ...document, edges, positions: { approved: { x, y: x } } })).toBe(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('orders connections by their whole name, also where one name begins another', () => {
    const wide = changed(({ nodes, edges }) => {
      const cases = literal([
        { id: 'bc', title: 'x', equals: 'x' },
        { id: 'c', title: 'y', equals: 'y' },
      ]);
      nodes['a'] = node('core.switch', { value: literal('x'), cases });
      nodes['ab'] = node('core.switch', { value: literal('x'), cases });
      nodes['d'] = node('core.stop');
      edges.push(edge('approved', 'a'), edge('approved', 'ab'), edge('a', 'd', 'bc'), edge('ab', 'd', 'c'));
    });
    expect(hashOf({ ...wide, edges: wide.edges.toReversed() })).toBe(hashOf(wide));
  });

  test('has another hash after any change that a run would notice', () => {
    const expected = hashOf(sound());
    const changes: ((document: FlowDocument) => unknown)[] = [
      ({ nodes }) =>
        Object.assign(nodes['tell']?.inputs ?? {}, { text: expression('"From  " & steps.approved.record.vendorName') }),
      ({ nodes }) => Object.assign(nodes['tell']?.inputs ?? {}, { channel: literal('C07000003') }),
      ({ nodes }) => Object.assign(nodes['large'] ?? {}, { onError: 'stop' }),
      ({ nodes }) => Object.assign(nodes['tell'] ?? {}, { retry: { attempts: 3, initialSeconds: 2 } }),
      ({ nodes }) => Object.assign(nodes['tell'] ?? {}, { join: { mode: 'all' } }),
      ({ nodes }) => Object.assign(nodes['shape'] ?? {}, { disabled: true }),
      ({ params }) => Object.assign(params['limit'] ?? {}, { value: 20_000 }),
      ({ connections }) => Object.assign(connections['slack'] ?? {}, { id: '018f0000-0000-7000-8000-00000000000f' }),
      ({ edges }) => edges.splice(3, 1),
    ];
    const hashes = changes.map((change) => hashOf(changed((document) => void change(document))));
    expect(new Set([expected, ...hashes]).size).toBe(changes.length + 1);
  });

  test('is the same for a default that is written out', () => {
    const written = changed(({ nodes }) =>
      Object.assign(nodes['tell'] ?? {}, {
        join: { mode: 'any' },
        onError: 'park',
        disabled: false,
        note: 'for us',
        retry: { attempts: 5, initialSeconds: 2 },
      }),
    );
    expect(hashOf(written)).toBe(hashOf(sound()));
  });

  test('of 500 steps with 2,000 mappings takes less than a second', () => {
    const document = sound();
    let before = 'tell';
    for (let index = 0; index < limits.nodes - 4; index++) {
      const id = `n${index}`;
      const source = (field: string) =>
        expression(
          `"${field} " & trigger.record.vendorName & $string(steps.${before === 'tell' ? 'approved.record.number' : before})`,
        );
      document.nodes[id] = node('core.map', { value: source('a') });
      document.edges.push(
        edge(before, id),
        ...(index > 2 ? [edge(`n${index - 2}`, id), edge(`n${index - 3}`, id)] : []),
      );
      before = id;
    }
    const began = performance.now();
    const { plan, findings } = compile(document, info);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(plan?.graph.nodes).toHaveLength(limits.nodes);
  });
});

describe('anything at all', () => {
  test('is parsed or refused with findings, never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.anything()), (input) => {
        const parsed = parseFlow(input);
        if ('findings' in parsed) expect(parsed.findings.length).toBeGreaterThan(0);
        else compile(parsed.document, info);
      }),
      { numRuns: 300 },
    );
  });

  test('is refused when it is nested beyond what a machine can walk', () => {
    let value: unknown = 1;
    for (let level = 0; level < 20_000; level++) value = [value];
    const document = changed(({ nodes }) => Object.assign(nodes['shape']?.inputs ?? {}, { value: literal(value) }));
    expect(parseFlow(document)).toMatchObject({ findings: [{ code: 'flow_invalid', severity: 'error' }] });
  });

  test('that claims a prototype for a name is refused, and changes no prototype', () => {
    const document = JSON.parse(
      JSON.stringify(sound()).replace('"approved":{"type"', '"__proto__":{"polluted":1},"approved":{"type"'),
    ) as unknown;
    const parsed = parseFlow(document);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    if ('document' in parsed) expect(Object.keys(parsed.document.nodes)).not.toContain('__proto__');
    const reserved = changed(({ nodes }) => {
      nodes['constructor'] = node('core.stop');
    });
    expect(parseFlow(reserved)).toMatchObject({ findings: [{ code: 'flow_invalid' }] });
  });

  test('made of a valid flow with one thing wrong compiles to findings or a plan, never throws', () => {
    const places = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, item]) => [[...path, key], ...places(item, [...path, key])])
        : [];
    const all = places(sound());
    const replacement = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        'approved',
        'tell',
        'core.if',
        'steps.tell.ts',
        'trigger.record',
        '$',
        '$$',
        '((',
        '`',
        '/(/',
        'constructor',
        '__proto__',
        'a.b.c^(>d)',
        'function($x){$x}',
        '|$|{"a":1}|',
        'a[b{c:d}]',
        '%.a',
        'a@$b#$c',
      ),
      fc.string({
        unit: fc.constantFrom(
          'steps',
          'trigger',
          'a',
          '.',
          '(',
          ')',
          '[',
          ']',
          '{',
          '}',
          '$',
          '*',
          '%',
          '"',
          ' ',
          '?',
          ':',
          ':=',
          ';',
          '/',
          '~>',
          '^',
          '<',
          '1',
          '@',
          '#',
          ',',
          'function',
          '&',
        ),
        maxLength: 12,
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...all), replacement, (path, value) => {
        const document = structuredClone(sound()) as unknown as Record<string | number, unknown>;
        let owner = document;
        for (const key of path.slice(0, -1)) owner = owner[key] as Record<string | number, unknown>;
        owner[path.at(-1) as string] = value;
        const parsed = parseFlow(document);
        if ('findings' in parsed) return;
        const { findings, plan } = compile(parsed.document, info);
        expect(plan === undefined).toBe(findings.some(({ severity }) => severity === 'error'));
      }),
      { numRuns: 1_500 },
    );
  });
});
