import { loadCatalog } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { catalogInfo } from '../../catalog-info.ts';
import type { CatalogInfo, FlowInfo, FlowInterface } from '../catalog.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { compile } from './compile.ts';
import { flowInterface } from './flow-interface.ts';

const info = catalogInfo(await loadCatalog());

const mapping = (value: unknown): Mapping =>
  typeof value === 'string' && value.startsWith('=')
    ? { kind: 'expression', source: value.slice(1) }
    : { kind: 'literal', value: value as never };
const node = (
  type: string,
  inputs: Readonly<Record<string, unknown>> = {},
  more: Partial<FlowNode> = {},
): FlowNode => ({
  ...{ type, version: 1, name: type, ...more },
  inputs: Object.fromEntries(Object.entries(inputs).map(([field, value]) => [field, mapping(value)])),
});
/** Lines as `from to` or `from port to`. */
const drawing = (nodes: FlowDocument['nodes'], lines: readonly string[]): FlowDocument => ({
  ...{ schema: 1, params: {}, connections: {}, positions: {}, nodes },
  edges: lines.map((id) => {
    const [from = '', port = '', to] = id.split(' ');
    return to === undefined ? { id, from, port: 'out', to: port } : { id, from, port, to };
  }),
});

const fields = [
  { id: 'amount', title: 'Amount', type: 'number', required: true },
  { id: 'due', title: 'Due', type: 'date' },
  { id: 'paid', title: 'Paid', type: 'yes_no' },
  { id: 'note', title: 'Note', type: 'text' },
  { id: 'extra', title: 'Extra' },
];
const begins = node('core.flow-input', { fields });
const isLarge = node('core.if', { condition: '=trigger.values.amount > 10' });
const back = (values: unknown, more: Partial<FlowNode> = {}) => node('core.return', { values }, more);

describe('the interface of a flow', () => {
  const ofReturns = (nodes: FlowDocument['nodes'], lines: readonly string[]) => {
    const found = flowInterface(drawing({ t: begins, ...nodes }, lines), info);
    if (found.kind !== 'callable') throw new Error('It takes calls');
    return found.result;
  };

  test('is what its trigger asks for and what its step hands back', () => {
    const values = '={"total": trigger.values.amount, "text": "x" & trigger.values.note, "kind": "bill"}';
    expect(flowInterface(drawing({ t: begins, a: back(values) }, ['t a']), info)).toEqual({
      kind: 'callable',
      fields: [
        { id: 'amount', title: 'Amount', type: 'number', required: true },
        { id: 'due', title: 'Due', type: 'date', required: false },
        { id: 'paid', title: 'Paid', type: 'yes_no', required: false },
        { id: 'note', title: 'Note', type: 'text', required: false },
        { id: 'extra', title: 'Extra', type: 'any', required: false },
      ],
      result: {
        type: 'object',
        properties: { total: { type: 'number' }, text: { type: 'string' }, kind: { type: 'string' } },
        required: ['kind', 'text', 'total'],
        additionalProperties: false,
      },
    });
  });

  test('is none where it begins otherwise, and free where its fields are computed or several', () => {
    expect(flowInterface(drawing({ t: node('core.manual'), a: back({}) }, ['t a']), info)).toEqual({
      kind: 'not_callable',
    });
    const free = { kind: 'callable', fields: [] };
    const computed = node('core.flow-input', { fields: '=[]' });
    expect(flowInterface(drawing({ t: computed, a: back({}) }, ['t a']), info)).toMatchObject(free);
    expect(flowInterface(drawing({ t: begins, u: begins, a: back({}) }, ['t a', 'u a']), info)).toMatchObject(free);
  });

  test.each<[string, FlowDocument['nodes'], readonly string[], readonly string[], readonly string[]]>([
    ['nothing, when no step hands anything back', { a: node('core.stop') }, ['t a'], [], []],
    ['nothing of a step that is switched off', { a: back({ x: 1 }, { disabled: true }) }, ['t a'], [], []],
    [
      'nothing of a step that a call does not get to',
      { w: node('core.manual'), a: back({ x: 1 }), b: back({ y: 1 }) },
      ['w a', 't b'],
      ['y'],
      ['y'],
    ],
    [
      'what both ways hand back, and maybe what one does',
      { if: isLarge, a: back({ x: 1, y: 1 }), b: back({ x: 2, z: 1 }) },
      ['t if', 'if then a', 'if else b'],
      ['x', 'y', 'z'],
      ['x'],
    ],
    ['maybe, when a way ends without', { if: isLarge, a: back({ x: 1 }) }, ['t if', 'if then a'], ['x'], []],
    [
      'surely, when every way leads there',
      { if: isLarge, m: node('core.map', { value: 1 }), a: back({ x: 1 }) },
      ['t if', 'if then m', 'm a', 'if else a'],
      ['x'],
      ['x'],
    ],
    [
      'maybe, when a failure goes another way',
      { m: node('core.notify', { title: 'x' }, { onError: 'port' }), s: node('core.stop'), a: back({ x: 1 }) },
      ['t m', 'm a', 'm error s'],
      ['x'],
      [],
    ],
    [
      'maybe, from within a loop',
      { l: node('core.for-each', { items: '=[1]' }), a: back({ x: 1 }, { parent: 'l' }) },
      ['t l', 'l each a'],
      ['x'],
      [],
    ],
    [
      'maybe, behind a join that may not be met',
      { if: isLarge, a: back({ x: 1 }, { join: { mode: 'all' } }) },
      ['t if', 'if then a', 'if else a'],
      ['x'],
      [],
    ],
  ])('hands back %s', (_, nodes, lines, names, sure) => {
    const result = ofReturns(nodes, lines);
    expect([Object.keys(result.properties ?? {}), result.required]).toEqual([names, sure]);
    expect(result.additionalProperties).toBe(false);
  });

  test('has one of several types, and any where one of them is not known', () => {
    const both = (a: unknown, b: unknown) =>
      ofReturns({ if: isLarge, a: back(a), b: back(b) }, ['t if', 'if then a', 'if else b']);
    expect(both({ x: 1 }, { x: 'one' }).properties?.['x']).toEqual({ anyOf: [{ type: 'number' }, { type: 'string' }] });
    expect(both({ x: 1 }, '={"x": trigger.values.extra}').properties?.['x']).toEqual({});
    expect(both({ x: 1 }, '=$merge([trigger.values, {}])')).toMatchObject({
      properties: { x: {} },
      additionalProperties: {},
    });
  });

  test('does not depend on what another flow hands back', () => {
    const nodes = { call: node('core.call-flow', { flow: 'other' }), a: back('={"x": steps.call.result.y}') };
    const flows = [callable('other', flowInterface(drawing({ t: begins, a: back({ y: 1 }) }, ['t a']), info))];
    const document = drawing({ t: begins, ...nodes }, ['t call', 'call a']);
    expect(flowInterface(document, { ...info, flows })).toMatchObject({ result: { properties: { x: {} } } });
    expect(flowInterface(document, { ...info, flows })).toEqual(flowInterface(document, info));
  });
});

const callable = (id: string, live: FlowInterface, more: Partial<FlowInfo> = {}): FlowInfo => ({
  ...{ id, name: 'Book it', publishedVersion: 3, latestVersion: 3, interfaces: [{ since: 3, interface: live }] },
  ...more,
});

describe('a step that calls a flow', () => {
  const live = flowInterface(drawing({ t: begins, a: back({ number: 'B-1', total: 12 }) }, ['t a']), info);
  const old = flowInterface(drawing({ t: begins, a: back({ former: true }) }, ['t a']), info);
  const known = callable('f', live, {
    interfaces: [
      { since: 1, interface: { kind: 'not_callable' } },
      { since: 2, interface: old },
      { since: 3, interface: live },
    ],
  });
  const draft = callable('new', live, { publishedVersion: null, latestVersion: 0, interfaces: [] });
  const bare = callable(
    'bare',
    { kind: 'not_callable' },
    { interfaces: [{ since: 1, interface: { kind: 'not_callable' } }] },
  );
  const free = callable('free', { kind: 'callable', fields: [], result: { type: 'object', properties: {} } });
  const unread = callable('unread', live, { interfaces: [] });
  const company: CatalogInfo = { ...info, flows: [known, draft, bare, free, unread], flowId: 'me' };

  const calling = (inputs: Readonly<Record<string, unknown>>, read?: string) =>
    drawing(
      {
        t: node('core.webhook'),
        call: node('core.call-flow', { flow: 'f', values: { amount: 7 }, ...inputs }, { name: 'Book' }),
        ...(read ? { after: node('core.notify', { title: read }) } : {}),
      },
      ['t call', ...(read ? ['call after'] : [])],
    );
  const findings = (document: FlowDocument, catalog = company) => compile(document, catalog).findings;
  const said = (document: FlowDocument, catalog = company) =>
    findings(document, catalog).map(({ code, severity, nodeId, field }) => `${severity} ${code} ${nodeId}.${field}`);

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['all it needs', { values: { amount: 7, due: '2026-12-01', paid: true, note: 'x', extra: [1] } }],
    ['numbers as digits', { values: { amount: '12.50' } }],
    ['what is computed', { values: '={"amount": trigger.body.amount, "note": "A " & trigger.body.text}' }],
    ['nothing for what may be left out', { values: { amount: 7, due: null, note: '' } }],
    ['nobody knows what', { values: '=trigger.body' }],
    ['anything, where it takes anything', { flow: 'free', values: { whatever: 1 } }],
    ['anything, where what it takes is not known', { flow: 'unread', values: { whatever: 1 } }],
    ['anything, where its version is computed', { version: '=trigger.body.version', values: {} }],
    ['anything, where it is the flow itself', { flow: 'me', values: { whatever: 1 } }],
  ])('is right when it hands over %s', (_, inputs) => {
    expect(said(calling(inputs))).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['nothing is mapped to what must be given', { values: {} }, 'error required_missing call.values.amount'],
    ['it is empty', { values: { amount: '' } }, 'error required_missing call.values.amount'],
    ['an expression leaves it out', { values: '={"note": "x"}' }, 'error required_missing call.values.amount'],
    ['an expression gives null for it', { values: '={"amount": null}' }, 'error required_missing call.values.amount'],
    ['text is given for a number', { values: { amount: 'many' } }, 'error type_mismatch call.values.amount'],
    ['an expression has such text', { values: '={"amount": "many"}' }, 'error type_mismatch call.values.amount'],
    ['a number is given for text', { values: { amount: 1, note: 2 } }, 'error type_mismatch call.values.note'],
    [
      'something else is given for a day',
      { values: { amount: 1, due: 'soon' } },
      'error type_mismatch call.values.due',
    ],
    [
      'an expression gives another type',
      { values: '={"amount": 1, "paid": $string(trigger.body)}' },
      'error type_mismatch call.values.paid',
    ],
    ['it is not asked for', { values: { amount: 1, amuont: 2 } }, 'error field_unknown call.values.amuont'],
    ['the flow is gone', { flow: 'gone' }, 'error flow_missing call.flow'],
    ['the flow is gone, whatever its version', { flow: 'gone', version: '=1' }, 'error flow_missing call.flow'],
    ['there is no such version', { version: 4 }, 'error flow_version_missing call.version'],
    ['it was never published', { flow: 'new' }, 'warning flow_not_published call.flow'],
    ['it was never published in a version', { flow: 'new', version: 1 }, 'error flow_version_missing call.version'],
    ['it takes no calls now', { flow: 'bare' }, 'warning flow_takes_no_calls call.flow'],
    ['it takes none in that version', { version: 1 }, 'error flow_takes_no_calls call.flow'],
  ])('is told when %s', (_, inputs, expected) => {
    expect(said(calling(inputs))).toEqual([expected]);
    expect(findings(calling(inputs))[0]?.fix).toMatch(/\w/);
  });

  test('is checked in nothing where nobody has asked which flows there are', () => {
    for (const inputs of [{ flow: 'gone' }, { version: 9 }, { values: {} }])
      expect(said(calling(inputs, '=steps.call.result.anything'), info)).toEqual([]);
  });

  test('names what is wrong, and offers the name that was meant', () => {
    const [typo] = findings(calling({ values: '={"amount": 1, "noet": "x"}' }));
    expect(typo).toMatchObject({
      message: '"Book" hands over "noet", which "Book it" does not take.',
      fix: 'Did you mean "note"?',
      suggestion: { title: 'Use note', source: '{"amount": 1, "note": "x"}' },
    });
    expect(findings(calling({ values: { amount: 1, zzzzzz: 1 } }))[0]?.fix).toBe(
      'Remove it. It takes amount, due, paid, note, extra.',
    );
    expect(findings(calling({ version: 9 }))[0]).toMatchObject({
      message: '"Book" calls version 9 of "Book it", which does not exist.',
      fix: 'Choose one from 1 to 3, or leave it empty for the one that is published.',
    });
  });

  test('gives what the flow hands back: a path that it does not have is an error, with the nearest that it has', () => {
    expect(said(calling({}, '=steps.call.result.number & steps.call.runId'))).toEqual([]);
    const [unknown] = findings(calling({}, '=steps.call.result.nubmer'));
    expect(unknown).toMatchObject({
      code: 'path_unknown',
      severity: 'error',
      fix: 'Did you mean "number"?',
      suggestion: { source: 'steps.call.result.number' },
    });
    expect(said(calling({}, '=steps.call.result.total'))).toEqual(['error type_mismatch after.title']);
  });

  test('gives what the version hands back that it asks for', () => {
    expect(said(calling({ version: 2 }, '=$string(steps.call.result.former)'))).toEqual([]);
    expect(said(calling({ version: 2 }, '=steps.call.result.number'))).toEqual(['error path_unknown after.title']);
    expect(said(calling({ version: 3 }, '=steps.call.result.number'))).toEqual([]);
  });
});
