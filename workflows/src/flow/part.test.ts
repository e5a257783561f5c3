import { describe, expect, test } from 'vitest';
import { partUpTo } from './part.ts';
import { sampleOf } from './sample.ts';
import type { FlowDocument } from './schema.ts';

const node = (parent?: string) => ({ type: 'x', version: 1, name: 'x', inputs: {}, ...(parent ? { parent } : {}) });
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${to}`, from, port, to });
const document: FlowDocument = {
  schema: 1,
  params: {},
  connections: {},
  positions: {},
  nodes: {
    t: node(),
    a: node(),
    b: node(),
    loop: node(),
    first: node('loop'),
    second: node('loop'),
    side: node('loop'),
    after: node(),
  },
  edges: [
    edge('t', 'a'),
    edge('t', 'b'),
    edge('a', 'loop'),
    edge('loop', 'first', 'each'),
    edge('first', 'second'),
    edge('loop', 'side', 'each'),
    edge('loop', 'after'),
  ],
};
const partOf = (id: string) => Object.keys(partUpTo(document, id).nodes).sort();

describe('the part of a flow up to a step', () => {
  test('is what leads to it', () => {
    expect(partOf('b')).toEqual(['b', 't']);
    expect(partOf('a')).toEqual(['a', 't']);
  });

  test('of a step in a loop, has the loop with only what leads there', () => {
    expect(partOf('first')).toEqual(['a', 'first', 'loop', 't']);
    expect(partOf('second')).toEqual(['a', 'first', 'loop', 'second', 't']);
  });

  test('behind a loop, has the whole loop', () => {
    expect(partOf('after')).toEqual(['a', 'after', 'first', 'loop', 'second', 'side', 't']);
  });

  test('keeps only connections within it', () => {
    expect(partUpTo(document, 'a').edges.map(({ id }) => id)).toEqual(['t:a']);
  });
});

describe('a made-up value', () => {
  test('has the shape of its schema, and is the same every time', () => {
    const schema = {
      type: 'object',
      properties: {
        id: { type: 'string' },
        day: { type: 'string', format: 'date' },
        kind: { enum: ['bill', 'credit'] },
        lines: { type: 'array', items: { type: 'object', properties: { amount: { type: 'number', minimum: 5 } } } },
        note: { anyOf: [{ type: 'null' }, { type: 'string' }] },
      },
    };
    expect(sampleOf(schema)).toEqual({
      id: 'sample id',
      day: '2026-03-02',
      kind: 'bill',
      lines: [{ amount: 5 }],
      note: 'sample note',
    });
    expect(sampleOf(schema)).toEqual(sampleOf(schema));
  });

  test('prefers what the schema gives', () => {
    expect(sampleOf({ type: 'string', examples: ['PE-2041'] })).toBe('PE-2041');
    expect(sampleOf({ type: 'string', default: 'USD' })).toBe('USD');
    expect(sampleOf({ const: 7 })).toBe(7);
  });
});
