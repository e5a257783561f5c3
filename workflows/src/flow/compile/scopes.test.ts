import { loadCatalog } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { catalogInfo } from '../../catalog-info.ts';
import type { FindingCode } from '../finding.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { compile } from './compile.ts';

const info = catalogInfo(await loadCatalog());
const slack = '01890000-0000-7000-8000-000000000001';
const literal = (value: unknown): Mapping => ({ kind: 'literal', value: value as never });
const expression = (source: string): Mapping => ({ kind: 'expression', source });
const node = (type: string, inputs: Record<string, Mapping> = {}, more: Partial<FlowNode> = {}): FlowNode => ({
  ...{ type, version: 1, name: type, inputs },
  ...more,
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });
const value = (source: string) => ({ value: expression(source) });

/** Post a message and look at it, together; then use it, or say why not. */
function sound(): FlowDocument {
  return {
    schema: 1,
    params: {},
    connections: { slack: { connector: 'slack', title: 'Slack', id: slack } },
    nodes: {
      start: node('core.manual'),
      all: node('core.scope'),
      post: node(
        'slack.send-message',
        { channel: literal('C1'), text: literal('Hello') },
        { parent: 'all', connection: 'slack' },
      ),
      look: node('core.map', value('{"id": steps.post.ts}'), { parent: 'all' }),
      done: node('core.map', value('{"id": steps.look.id, "ts": steps.post.ts}')),
      sorry: node('core.map', value('{"step": steps.all.error.step, "undone": steps.all.error.undone}')),
    },
    edges: [
      ...[edge('start', 'all'), edge('all', 'post', 'each'), edge('post', 'look')],
      ...[edge('all', 'done'), edge('all', 'sorry', 'error')],
    ],
    positions: {},
  };
}

function changed(change: (document: FlowDocument) => unknown): FlowDocument {
  const document = sound();
  change(document);
  return document;
}

const found = (document: FlowDocument) =>
  compile(document, info).findings.map(({ code, nodeId, severity }) => `${severity} ${code} ${nodeId ?? ''}`);

describe('a flow with a scope', () => {
  test('compiles, and what follows reads its steps', () => {
    const { findings, plan } = compile(sound(), info);
    expect(findings).toEqual([]);
    expect(plan?.graph.nodes.map(({ id, parent, control, onError }) => [id, parent, control, onError])).toEqual([
      ['start', undefined, undefined, 'park'],
      ['all', undefined, 'scope', 'port'],
      ['post', 'all', undefined, 'stop'],
      ['look', 'all', undefined, 'stop'],
      ['done', undefined, undefined, 'park'],
      ['sorry', undefined, undefined, 'park'],
    ]);
  });

  test('whose failure has no way of its own does what it is told to, and waits for a person by default', () => {
    const policy = (more: Partial<FlowNode> = {}) => {
      const document = changed(({ nodes }) => Object.assign(nodes['all'] ?? {}, more));
      document.edges = document.edges.filter(({ port }) => port !== 'error');
      delete document.nodes['sorry'];
      return compile(document, info).plan?.graph.nodes.find(({ id }) => id === 'all')?.onError;
    };
    expect(policy()).toBe('park');
    expect(policy({ onError: 'compensate' })).toBe('compensate');
    expect(policy({ onError: 'port' })).toBe('park');
  });

  test('warns where a step of it may not have come through', () => {
    const reading = (source: string, port: string) =>
      changed(({ nodes, edges }) => {
        nodes['more'] = node('core.map', value(source));
        edges.push(edge('all', 'more', port));
      });
    expect(found(reading('{"ts": steps.post.ts}', 'out'))).toEqual([]);
    expect(found(reading('{"ts": steps.post.ts}', 'error'))).toEqual(['warning step_maybe_skipped more']);
    const forked = reading('{"id": steps.look.id}', 'out');
    forked.edges = forked.edges.filter(({ to }) => to !== 'look');
    forked.nodes['which'] = node('core.if', { condition: expression('steps.post.ts = "1"') }, { parent: 'all' });
    forked.edges.push(edge('post', 'which'), edge('which', 'look', 'then'));
    expect(found(forked)).toEqual(['warning step_maybe_skipped done', 'warning step_maybe_skipped more']);
  });

  test.each<[FindingCode, 'error' | 'warning', string, FlowDocument, string]>([
    [
      'undo_missing',
      'warning',
      'a write that cannot be undone',
      changed(({ nodes, edges }) => {
        nodes['tell'] = node('core.http-request', { url: literal('https://example.com') }, { parent: 'all' });
        edges.push(edge('look', 'tell'));
      }),
      'all',
    ],
    [
      'undo_in_scope',
      'warning',
      'a step that would undo the run',
      changed(({ nodes }) => Object.assign(nodes['look'] ?? {}, { onError: 'compensate' })),
      'look',
    ],
    ['edge_crosses_loop', 'error', 'a way out of it', changed(({ edges }) => edges.push(edge('look', 'done'))), 'look'],
    [
      'loop_empty',
      'error',
      'nothing inside',
      changed((document) => {
        document.edges = document.edges.filter(({ port }) => port !== 'each');
      }),
      'all',
    ],
    [
      'loop_missing',
      'error',
      'the end of a turn in a scope in no loop',
      changed(({ nodes, edges }) => {
        nodes['odd'] = node('core.next-item', {}, { parent: 'all' });
        edges.push(edge('look', 'odd'));
      }),
      'odd',
    ],
    [
      'step_not_upstream',
      'error',
      'the turn of a loop in it, read behind it',
      changed(({ nodes, edges }) => {
        nodes['loop'] = node('core.for-each', { items: literal([1]) }, { parent: 'all' });
        nodes['turn'] = node('core.map', value('{"i": loop.index}'), { parent: 'loop' });
        nodes['more'] = node('core.map', value('{"i": steps.turn.i}'));
        edges.push(edge('look', 'loop'), edge('loop', 'turn', 'each'), edge('all', 'more'));
      }),
      'more',
    ],
    [
      'path_unknown',
      'error',
      'an item, where there is no loop',
      changed(({ nodes }) => Object.assign(nodes['look']?.inputs ?? {}, value('{"id": loop.item}'))),
      'look',
    ],
  ])('is told: %s (%s), %s', (code, severity, _, document, nodeId) => {
    expect(compile(document, info).findings).toContainEqual(expect.objectContaining({ code, severity, nodeId }));
  });

  test('that is to leave things as they are says nothing of what cannot be undone', () => {
    const document = changed(({ nodes, edges }) => {
      nodes['tell'] = node('core.http-request', { url: literal('https://example.com') }, { parent: 'all' });
      edges.push(edge('look', 'tell'));
      Object.assign(nodes['all']?.inputs ?? {}, { onFailure: literal('leave') });
    });
    expect(found(document)).toEqual([]);
  });

  test('in a loop knows the item, and counts no depth of loops', () => {
    const document = changed(({ nodes, edges }) => {
      nodes['loop'] = node('core.for-each', { items: expression('[{"a": 1}]') });
      nodes['inner'] = node('core.scope', {}, { parent: 'loop' });
      nodes['deep'] = node('core.scope', {}, { parent: 'inner' });
      nodes['leaf'] = node('core.map', value('{"a": loop.item.a, "b": loops.loop.index}'), { parent: 'deep' });
      nodes['next'] = node('core.next-item', value('steps.leaf.a'), { parent: 'inner' });
      edges.push(edge('done', 'loop'), edge('loop', 'inner', 'each'), edge('inner', 'deep', 'each'));
      edges.push(edge('deep', 'leaf', 'each'), edge('deep', 'next'));
    });
    expect(found(document)).toEqual([]);
  });

  test('drawn too deep is told, in time', () => {
    const document = changed(({ nodes, edges }) => {
      let parent = 'all';
      for (let depth = 0; depth < 450; depth++) {
        const id = `s${depth}`;
        nodes[id] = node('core.scope', {}, { parent });
        edges.push(edge(parent, id, 'each'));
        parent = id;
      }
    });
    const began = performance.now();
    expect(found(document)).toContain('error loop_too_deep s5');
    expect(found(document)).not.toContain('error loop_too_deep s4');
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
