import { loadCatalog } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { catalogInfo } from '../../catalog-info.ts';
import type { FindingCode } from '../finding.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { compile } from './compile.ts';

const info = catalogInfo(await loadCatalog());
const literal = (value: unknown): Mapping => ({ kind: 'literal', value: value as never });
const expression = (source: string): Mapping => ({ kind: 'expression', source });
const node = (type: string, inputs: Record<string, Mapping> = {}, more: Partial<FlowNode> = {}): FlowNode => ({
  ...{ type, version: 1, name: type, inputs },
  ...more,
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** For each line of an approved invoice: shape it and hand it on; then use what was handed on. */
function sound(): FlowDocument {
  return {
    schema: 1,
    params: {},
    connections: {},
    nodes: {
      approved: node('core.record-event', { entity: literal('vendor_invoice'), change: literal('approved') }),
      lines: node('core.for-each', { items: expression('trigger.record.lines') }),
      shape: node(
        'core.map',
        { value: expression('{"code": loop.item.costCode, "row": loop.index + 1}') },
        { parent: 'lines' },
      ),
      next: node('core.next-item', { value: expression('steps.shape.code') }, { parent: 'lines' }),
      done: node('core.map', { value: expression('{"codes": steps.lines.values}') }),
    },
    edges: [edge('approved', 'lines'), edge('lines', 'shape', 'each'), edge('shape', 'next'), edge('lines', 'done')],
    positions: {},
  };
}

function changed(change: (document: FlowDocument) => unknown): FlowDocument {
  const document = sound();
  change(document);
  return document;
}
const shaped = (source: string) =>
  changed(({ nodes }) => Object.assign(nodes['shape']?.inputs ?? {}, { value: expression(source) }));

describe('a flow with a loop', () => {
  test('compiles, and its plan says what stands where', () => {
    const { findings, plan } = compile(sound(), info);
    expect(findings).toEqual([]);
    expect(plan?.graph.nodes.map(({ id, parent, control }) => [id, parent, control])).toEqual([
      ['approved', undefined, undefined],
      ['lines', undefined, 'each'],
      ['done', undefined, undefined],
      ['shape', 'lines', undefined],
      ['next', 'lines', 'next'],
    ]);
  });

  test('has its steps fail their item instead of waiting, where it goes on after failed items', () => {
    const policy = (document: FlowDocument) =>
      compile(document, info).plan?.graph.nodes.find(({ id }) => id === 'shape')?.onError;
    expect(policy(sound())).toBe('park');
    const going = (more: Partial<FlowNode> = {}) =>
      changed(({ nodes }) => {
        Object.assign(nodes['lines']?.inputs ?? {}, { onItemError: literal('collect') });
        Object.assign(nodes['shape'] ?? {}, more);
      });
    expect(policy(going())).toBe('stop');
    expect(policy(going({ onError: 'park' }))).toBe('park');
  });

  test.each<[FindingCode, string, FlowDocument, string]>([
    ['path_unknown', 'a field that items do not have', shaped('loop.item.costcode'), 'shape'],
    [
      'path_unknown',
      'a loop read outside of it',
      changed(({ nodes }) => Object.assign(nodes['done']?.inputs ?? {}, { value: expression('loop.item') })),
      'done',
    ],
    ['path_unknown', 'what the loop hands on, read inside it', shaped('steps.lines.values'), 'shape'],
    [
      'step_not_upstream',
      'a step of a turn, read after the loop',
      changed(({ nodes }) => Object.assign(nodes['done']?.inputs ?? {}, { value: expression('steps.shape.code') })),
      'done',
    ],
    [
      'parent_unknown',
      'a loop that is not there',
      changed(({ nodes }) => Object.assign(nodes['shape'] ?? {}, { parent: 'nothing' })),
      'shape',
    ],
    [
      'parent_unknown',
      'a step in a step that is no loop',
      changed(({ nodes }) => Object.assign(nodes['shape'] ?? {}, { parent: 'done' })),
      'shape',
    ],
    ['edge_crosses_loop', 'a way out of the loop', changed(({ edges }) => edges.push(edge('shape', 'done'))), 'shape'],
    [
      'edge_crosses_loop',
      'a way into the loop',
      changed(({ edges }) => edges.push(edge('approved', 'next'))),
      'approved',
    ],
    [
      'edge_crosses_loop',
      'each item outside',
      changed(({ edges }) => edges.push(edge('lines', 'done', 'each'))),
      'lines',
    ],
    [
      'loop_empty',
      'nothing inside',
      changed((document) => {
        document.edges = document.edges.filter(({ port }) => port !== 'each');
      }),
      'lines',
    ],
    [
      'loop_missing',
      'the end of a turn outside of a loop',
      changed(({ nodes, edges }) => {
        nodes['odd'] = node('core.next-item');
        edges.push(edge('done', 'odd'));
      }),
      'odd',
    ],
    [
      'trigger_in_loop',
      'a trigger inside',
      changed(({ nodes }) => Object.assign(nodes['approved'] ?? {}, { parent: 'lines' })),
      'approved',
    ],
    [
      'cycle',
      'a loop inside itself',
      changed(({ nodes }) => Object.assign(nodes['lines'] ?? {}, { parent: 'lines' })),
      'lines',
    ],
  ])('with a mistake is told: %s, %s', (code, _, document, nodeId) => {
    expect(compile(document, info).findings).toContainEqual(
      expect.objectContaining({ code, severity: 'error', nodeId }),
    );
  });

  test('drawn too deep is told at the loop that is too deep', () => {
    const deep = changed(({ nodes, edges }) => {
      let parent = 'lines';
      for (const id of ['l2', 'l3', 'l4']) {
        nodes[id] = node('core.for-each', { items: literal([1]) }, { parent });
        edges.push(edge(parent, id, 'each'));
        parent = id;
      }
      nodes['leaf'] = node('core.map', { value: expression('{"i": loop.index}') }, { parent });
      edges.push(edge(parent, 'leaf', 'each'));
    });
    expect(compile(deep, info).findings.map(({ code, nodeId }) => [code, nodeId])).toEqual([['loop_too_deep', 'l4']]);
  });

  test('of five hundred loops in each other is answered in time', () => {
    const document = changed(({ nodes, edges }) => {
      let parent = 'lines';
      for (let depth = 0; depth < 490; depth++) {
        const id = `l${depth}`;
        nodes[id] = node('core.for-each', { items: expression('loop.item') }, { parent });
        edges.push(edge(parent, id, 'each'));
        parent = id;
      }
    });
    const began = performance.now();
    expect(compile(document, info).plan).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
