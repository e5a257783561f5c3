import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import { PlainExpressions } from './plain.ts';

const plain = new PlainExpressions();

describe('a plain expression', () => {
  const root = {
    trigger: {
      body: {
        id: 'A-1',
        total: 12.5,
        ok: true,
        none: null,
        lines: [{ amount: '1.00' }],
        deep: { er: { x: 'y' } },
        long: 'x'.repeat(1_100_000),
      },
    },
    steps: { map: { id: 'm' } },
  };
  test.each([
    ['trigger.body.id', 'A-1'],
    ['trigger.body.total', 12.5],
    ['trigger.body.none', null],
    ['trigger.body.missing.further', undefined],
    ['trigger.body.id.length', undefined],
    ['"Bill " & trigger.body.id & ", " & trigger.body.missing', 'Bill A-1, '],
    ['{"id": steps.map.id, "total": trigger.body.total, "gone": trigger.nothing}', { id: 'm', total: 12.5 }],
    ['{"a": {"b": trigger.body.ok}}', { a: { b: true } }],
    ['42', 42],
    ['"text"', 'text'],
    ['true', true],
    ['null', null],
  ])('%s is answered here', (source, value) => {
    expect(plain.evaluate(source, root)).toEqual({ plain: true, value });
  });

  test.each([
    ['a list', 'trigger.body.lines'],
    ['something in a list', 'trigger.body.lines.amount'],
    ['a whole object', 'trigger.body.deep'],
    ['an object within one that is made', '{"a": trigger.body.deep}'],
    ['a function', '$sum(trigger.body.lines.amount)'],
    ['a predicate', 'trigger.body[id="A-1"].total'],
    ['a number in a text', '"Total " & trigger.body.total'],
    ['a wildcard', 'trigger.*'],
    ['a variable', '$.trigger'],
    ['a computed key', '{trigger.body.id: 1}'],
    ['a key that pollutes', '{"__proto__": 1}'],
    ['the same key twice', '{"a": 1, "a": 2}'],
    ['a list kept', 'trigger.body.id[]'],
    ['a condition', 'trigger.body.ok ? 1 : 2'],
    ['a sum', '1 + 1'],
    ['what is no expression', 'trigger.'],
  ])('%s is left to the evaluator', (_, source) => {
    expect(plain.evaluate(source, root)).toEqual({ plain: false });
  });

  test.each(['trigger.body.long & trigger.body.long', '{"a": trigger.body.long, "b": {"c": trigger.body.long}}'])(
    '%s is too large to be put together',
    (source) => {
      expect(plain.evaluate(source, root)).toEqual({ plain: 'too large' });
    },
  );

  test('gets no property of a prototype', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(plain.evaluate(`trigger.${name}`, root)).toEqual({ plain: true, value: undefined });
  });
});

test('whatever is answered here, JSONata answers the same', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'trigger', 'steps');
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('', 'x', 'text "quoted"', 'ümläut', 0, -1, 1.5, 1e21, true, false, null),
      fc.dictionary(name, tie('value'), { maxKeys: 3 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  })).value;
  const expression = fc.letrec<{ expression: string; path: string }>((tie) => ({
    path: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('.')),
    expression: fc.oneof(
      { depthSize: 'small' },
      tie('path'),
      fc.constantFrom('"x"', '1', '-2.5', 'true', 'null', '""'),
      fc
        .tuple(tie('expression'), tie('expression'))
        .map(([left, right]) => `(${left}) & ${right}`.replace(/^\((.*)\) &/, '$1 &')),
      fc
        .uniqueArray(fc.tuple(name, tie('expression')), { selector: ([key]) => key, maxLength: 3 })
        .map((fields) => `{${fields.map(([key, value]) => `"${key}": ${value}`).join(', ')}}`),
    ),
  })).expression;
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, json, { maxKeys: 4 }), expression, async (root, source) => {
      const answer = plain.evaluate(source, root);
      if (!answer.plain) return;
      answered += 1;
      if (answer.plain === 'too large') throw new Error('nothing here is that long');
      const theirs: unknown = await jsonata(source).evaluate(root);
      expect(JSON.stringify(answer.value)).toBe(JSON.stringify(theirs));
    }),
    { numRuns: 3_000 },
  );
  expect(answered).toBeGreaterThan(500);
});
