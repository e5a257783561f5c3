import { checkStructure, compile, parseExpression, scopeSchema } from '@plumbline/workflows/flow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exampleCatalog, exampleFlow, typeOf } from '../document/example.ts';
import { addNode } from '../document/nodes.ts';
import { setInput } from '../document/settings.ts';
import {
  comparisons,
  comparisonsFor,
  readCondition,
  readNumber,
  takesValue,
  writeCondition,
  type Comparison,
  type Condition,
} from './condition.ts';
import { brief, dataTree, findEntry, searchTree } from './data-tree.ts';
import { asExpression, asLiteral, controlOf, formOf } from './form.ts';
import { quoteName, readPath, readPieces } from './path.ts';

const rows: fc.Arbitrary<Condition> = fc.record({
  join: fc.constantFrom('all' as const, 'any' as const),
  rows: fc.array(
    fc
      .tuple(
        fc.constantFrom('trigger.record.total', 'steps.bill.number', 'params.account', 'trigger.body.`odd name`'),
        fc.constantFrom(...(Object.keys(comparisons) as Comparison[])),
        fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''),
      )
      .map(([path, is, value]) => ({ path, is, value: takesValue(is) ? value : '' })),
    { minLength: 1, maxLength: 5 },
  ),
});

describe('conditions', () => {
  test('what rows write they read again, and the parser accepts it', () => {
    fc.assert(
      fc.property(rows, (condition) => {
        const source = writeCondition(condition);
        expect(parseExpression(source)).toHaveProperty('ast');
        const back = readCondition(source);
        // One row is neither "all" nor "any"; numbers are kept as digits.
        expect(back?.rows).toEqual(
          condition.rows.map((row) =>
            ['more', 'least', 'less', 'most'].includes(row.is)
              ? { ...row, value: readNumber(row.value) ?? row.value }
              : row,
          ),
        );
        if (condition.rows.length > 1) expect(back?.join).toBe(condition.join);
      }),
      { numRuns: 300 },
    );
  });

  test('an amount over 10,000 is compared exactly, and the compiler finds nothing wrong with it', () => {
    const source = writeCondition({
      join: 'all',
      rows: [{ path: 'trigger.record.total', is: 'more', value: '10,000' }],
    });
    expect(source).toBe('($exists(trigger.record.total) and $moneyCompare(trigger.record.total, "10000") > 0)');
    const { document, nodeId } = addNode(exampleFlow, typeOf('core.if'), { kind: 'edge', edgeId: 'approved:out:bill' });
    expect(
      compile(setInput(document, nodeId, 'condition', { kind: 'expression', source }), exampleCatalog).findings,
    ).toEqual([]);
  });

  test('forms people write themselves are read, freer ones are left to the expression editor', () => {
    expect(readCondition('$number(trigger.record.total) > 10000')?.rows).toEqual([
      { path: 'trigger.record.total', is: 'more', value: '10000' },
    ]);
    expect(readCondition('trigger.record.status = "approved"')?.rows).toEqual([
      { path: 'trigger.record.status', is: 'equals', value: 'approved' },
    ]);
    for (const source of [
      '$count(trigger.record.lines) > 2',
      'a = 1 and b = 2 or c = 3',
      '$sum(x)',
      '($exists(a.b) and $moneyCompare(a.c, "1") > 0)',
    ])
      expect(readCondition(source)).toBeUndefined();
    expect(readCondition('')).toEqual({ join: 'all', rows: [] });
  });

  test('what is offered depends on the field', () => {
    expect(comparisonsFor({ type: 'string' }, '12480.00')[0]).toBe('more');
    expect(comparisonsFor({ type: 'string' }, '2026-03-02')[0]).toBe('before');
    expect(comparisonsFor({ type: 'boolean' }, undefined)).toContain('yes');
    expect(comparisonsFor(undefined, undefined)[0]).toBe('equals');
  });
});

test.each([
  ['trigger.record.total', ['record', 'total']],
  [' steps.bill ', ['bill']],
  ['trigger.headers.`x-id`', ['headers', 'x-id']],
  ['params.account & "x"', undefined],
  ['$string(trigger.x)', undefined],
  ['trigger.lines[0]', undefined],
])('%s is a plain path or not', (source, names) => {
  expect(readPath(source)?.names).toEqual(names);
});

test('a text of fields and words is read in pieces', () => {
  expect(readPieces('"Bill " & steps.bill.number & " for \\"you\\" & me"')).toEqual([
    { kind: 'text', text: 'Bill ' },
    { kind: 'path', path: { root: 'steps', names: ['bill', 'number'] }, source: 'steps.bill.number' },
    { kind: 'text', text: ' for "you" & me' },
  ]);
  expect(readPieces('$substring(trigger.x, 0, 2) & "a"')).toBeUndefined();
  expect(quoteName('x-id')).toBe('`x-id`');
  expect(quoteName('and')).toBe('`and`');
});

describe('forms', () => {
  test('required fields come first, advanced ones last', () => {
    expect(formOf(typeOf('quickbooks.create-bill').input).map((field) => field.name)).toEqual([
      'vendorId',
      'docNumber',
      'memo',
    ]);
  });

  test.each([
    [{ type: 'string' }, 'text'],
    [{ type: 'string', multiline: true }, 'lines'],
    [{ type: 'string', enum: ['a'] }, 'choice'],
    [{ type: 'string', optionsFrom: 'vendors' }, 'options'],
    [{ type: 'array', items: { type: 'object', properties: {} } }, 'rows'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'text'],
    [{ type: ['string', 'number', 'boolean'], anyOf: [{ type: 'string' }, { type: 'boolean' }] }, 'text'],
    [{ anyOf: [{ type: 'string' }, { type: 'array' }] }, 'json'],
    [{}, 'json'],
  ] as const)('%j is filled in as %s', (schema, control) => {
    expect(controlOf(schema)).toBe(control);
  });

  test('a given value becomes an expression and comes back', () => {
    expect(asExpression({ kind: 'literal', value: 'a "b"' })).toBe('"a \\"b\\""');
    expect(asLiteral({ kind: 'expression', source: '"a"' })).toEqual({ kind: 'literal', value: 'a' });
    expect(asLiteral({ kind: 'expression', source: 'trigger.x' })).toBeUndefined();
  });
});

describe('data tree', () => {
  const scope = scopeSchema(exampleFlow, checkStructure(exampleFlow, exampleCatalog), 'shape');
  const tree = dataTree(
    scope,
    {
      trigger: { record: { number: 'INV-1', extra: 1, lines: [{ amount: '10.00' }] } },
      steps: { bill: { number: 'B-7' } },
    },
    { trigger: 'An invoice is approved', 'steps.bill': 'Create the bill' },
  );

  test('holds the trigger, earlier steps, settings, run and company, with samples', () => {
    expect(tree.map((entry) => entry.title)).toEqual([
      'An invoice is approved',
      'Create the bill',
      'Params',
      'Run',
      'Company',
    ]);
    expect(findEntry(tree, 'steps.bill.number')?.sample).toBe('B-7');
    expect(findEntry(tree, 'trigger.record.lines.amount')).toMatchObject({ repeated: true, sample: '10.00' });
  });

  test('does not offer what the schema rules out, even when a sample has it', () => {
    expect(findEntry(tree, 'trigger.record.extra')).toBeUndefined();
  });

  test('takes fields from the sample where the schema is open', () => {
    const open = dataTree(
      { type: 'object', properties: { trigger: {} } },
      { trigger: { body: { 'odd name': 1 } } },
      {},
    );
    expect(findEntry(open, 'trigger.body.`odd name`')?.sample).toBe(1);
  });

  test('marks what is not always there', () => {
    const open = dataTree(
      {
        type: 'object',
        properties: {
          trigger: {
            type: 'object',
            required: ['id', 'memo'],
            properties: { id: { type: 'string' }, memo: { type: ['string', 'null'] }, due: { type: 'string' } },
          },
          // Read off a sample.
          run: { type: 'object', properties: { id: { type: 'string' } } },
        },
      },
      {},
      {},
    );
    const isOptional = (path: string) => findEntry(open, path)?.optional;
    expect(['trigger', 'trigger.id', 'trigger.memo', 'trigger.due', 'run.id'].map(isOptional)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  test('is searched by name, title and sample value', () => {
    expect(searchTree(tree, 'b-7')).toHaveLength(1);
    expect(searchTree(tree, 'record amount')[0]?.children[0]?.children[0]?.name).toBe('lines');
    expect(searchTree(tree, 'nowhere')).toEqual([]);
  });

  test('says samples in short', () => {
    expect([brief(undefined), brief(null), brief(true), brief([1, 2]), brief('x'.repeat(99), 5)]).toEqual([
      '',
      'nothing',
      'yes',
      '2 items',
      'xxxx…',
    ]);
  });
});
