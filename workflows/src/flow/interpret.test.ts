import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlanEdge, PlanGraph, PlanNode } from './plan.ts';
import type { Join } from './schema.ts';
import { interpret, type NodeEnd } from './interpret.ts';

const node = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  kind: 'action',
  join: { mode: 'any' },
  retry: { attempts: 1, initialSeconds: 1 },
  onError: 'park',
  disabled: false,
  ...more,
});
const trigger = (id: string): PlanNode => node(id, { kind: 'trigger' });
const edge = (from: string, to: string, port = 'out'): PlanEdge => ({ from, port, to });

interface Trace {
  readonly ran: readonly string[];
  readonly skipped: readonly string[];
  readonly stopped: boolean;
}

/** Runs a graph; `ends` says by which port a node leaves (`out` when it is not named), `stop` stops the run, `turns` how long it takes. */
async function run(
  graph: PlanGraph,
  triggerId: string,
  ends: Readonly<Record<string, string>> = {},
  turns: (id: string) => number = () => 1,
): Promise<Trace> {
  const ran: string[] = [];
  const execute = async ({ id }: PlanNode): Promise<NodeEnd> => {
    ran.push(id);
    for (let turn = turns(id); turn > 0; turn--) await Promise.resolve();
    const port = ends[id] ?? 'out';
    return port === 'stop' ? { kind: 'leave', how: 'failed' } : { kind: 'port', port };
  };
  const { skipped, left } = await interpret({ graph, entry: { nodeId: triggerId, port: 'out' }, execute });
  return { ran, skipped, stopped: left !== undefined };
}

/**
 * What must come out, worked out without any notion of time: a node runs when enough of its edges are taken, and an edge is taken when the node
 * it leaves ran and left by its port.
 */
function reference(
  graph: PlanGraph,
  triggerId: string,
  ends: Readonly<Record<string, string>>,
): { readonly ran: Set<string>; readonly skipped: Set<string> } {
  const leaves = new Map<string, string | null>();
  const ran = new Set<string>();
  const skipped = new Set<string>();
  const leave = (id: string): string | null => {
    const known = leaves.get(id);
    if (known !== undefined) return known;
    const own = graph.nodes.find((candidate) => candidate.id === id) as PlanNode;
    const decide = (): string | null => {
      if (own.kind === 'trigger') return id === triggerId ? 'out' : null;
      const incoming = graph.edges.filter(({ to }) => to === id);
      const taken = incoming.filter(({ from, port }) => leave(from) === port).length;
      const { join } = own;
      const met =
        incoming.length > 0 &&
        (join.mode === 'all' ? taken === incoming.length : taken >= (join.mode === 'count' ? join.count : 1));
      if (!met) {
        skipped.add(id);
        return null;
      }
      if (own.disabled) return 'out';
      ran.add(id);
      return ends[id] ?? 'out';
    };
    const port = decide();
    leaves.set(id, port);
    return port;
  };
  for (const { id } of graph.nodes) leave(id);
  return { ran, skipped };
}

describe('the interpreter', () => {
  test('runs a line in its order', async () => {
    const graph = { nodes: [trigger('t'), node('a'), node('b')], edges: [edge('t', 'a'), edge('a', 'b')] };
    expect(await run(graph, 't')).toEqual({ ran: ['a', 'b'], skipped: [], stopped: false });
  });

  test('takes one way at a condition, skips the other, and goes on behind both', async () => {
    const graph = {
      nodes: [trigger('t'), node('if', { kind: 'logic' }), node('yes'), node('no'), node('after')],
      edges: [
        edge('t', 'if'),
        edge('if', 'yes', 'then'),
        edge('if', 'no', 'else'),
        edge('yes', 'after'),
        edge('no', 'after'),
      ],
    };
    expect(await run(graph, 't', { if: 'then' })).toEqual({
      ran: ['if', 'yes', 'after'],
      skipped: ['no'],
      stopped: false,
    });
    expect(await run(graph, 't', { if: 'else' })).toEqual({
      ran: ['if', 'no', 'after'],
      skipped: ['yes'],
      stopped: false,
    });
  });

  test.each<[string, Join, Readonly<Record<string, string>>, boolean]>([
    ['all of three', { mode: 'all' }, {}, true],
    ['all of three, one dead', { mode: 'all' }, { a: 'else' }, false],
    ['any, two dead', { mode: 'any' }, { a: 'else', b: 'else' }, true],
    ['any, three dead', { mode: 'any' }, { a: 'else', b: 'else', c: 'else' }, false],
    ['two, one dead', { mode: 'count', count: 2 }, { a: 'else' }, true],
    ['two, two dead', { mode: 'count', count: 2 }, { a: 'else', b: 'else' }, false],
    ['four of three', { mode: 'count', count: 4 }, {}, false],
  ])('joins %s', async (_name, join, ends, met) => {
    const graph = {
      nodes: [trigger('t'), node('a'), node('b'), node('c'), node('j', { join })],
      edges: [...['a', 'b', 'c'].map((id) => edge('t', id)), ...['a', 'b', 'c'].map((id) => edge(id, 'j'))],
    };
    const { ran, skipped } = await run(graph, 't', ends);
    expect(ran.includes('j')).toBe(met);
    expect(skipped).toEqual(met ? [] : ['j']);
  });

  test('starts a join only when its slowest branch has settled', async () => {
    const graph = {
      nodes: [trigger('t'), node('fast'), node('slow'), node('j')],
      edges: [edge('t', 'fast'), edge('t', 'slow'), edge('fast', 'j'), edge('slow', 'j')],
    };
    const ended: string[] = [];
    const execute = async ({ id }: PlanNode): Promise<NodeEnd> => {
      if (id === 'j') expect(ended.toSorted()).toEqual(['fast', 'slow']);
      for (let turn = id === 'slow' ? 50 : 1; turn > 0; turn--) await Promise.resolve();
      ended.push(id);
      return { kind: 'port', port: 'out' };
    };
    await interpret({ graph, entry: { nodeId: 't', port: 'out' }, execute });
    expect(ended.at(-1)).toBe('j');
  });

  test.each([1, 2])(
    'starts a join that needs %i of three with the last of them, once, and lets the rest go on',
    async (count) => {
      const graph = {
        nodes: [
          trigger('t'),
          node('a'),
          node('b'),
          node('c'),
          node('j', { join: { mode: 'count', count } }),
          node('d'),
        ],
        edges: [
          ...['a', 'b', 'c'].map((id) => edge('t', id)),
          ...['a', 'b', 'c'].map((id) => edge(id, 'j')),
          edge('c', 'd'),
        ],
      };
      const began: string[] = [];
      const ended: string[] = [];
      const turns: Readonly<Record<string, number>> = { a: 1, b: 10, c: 100 };
      const execute = async ({ id }: PlanNode): Promise<NodeEnd> => {
        began.push(id);
        if (id === 'j') expect(ended).toEqual(['a', 'b'].slice(0, count));
        for (let turn = turns[id] ?? 1; turn > 0; turn--) await Promise.resolve();
        ended.push(id);
        return { kind: 'port', port: 'out' };
      };
      const { skipped } = await interpret({ graph, entry: { nodeId: 't', port: 'out' }, execute });
      expect({ began: began.toSorted(), skipped }).toEqual({ began: ['a', 'b', 'c', 'd', 'j'], skipped: [] });
    },
  );

  test('goes on with whatever comes first while the rest waits', async () => {
    const graph = {
      nodes: [
        trigger('t'),
        node('event'),
        node('date'),
        node('j', { join: { mode: 'count', count: 1 } }),
        node('after'),
      ],
      edges: [edge('t', 'event'), edge('t', 'date'), edge('event', 'j'), edge('date', 'j'), edge('j', 'after')],
    };
    const at = async (come: readonly string[]) => {
      const ran: string[] = [];
      const { paused, skipped } = await interpret({
        graph,
        entry: { nodeId: 't', port: 'out' },
        execute: ({ id }) => {
          const waits = (id === 'event' || id === 'date') && !come.includes(id);
          if (!waits) ran.push(id);
          return Promise.resolve<NodeEnd>(waits ? { kind: 'pause' } : { kind: 'port', port: 'out' });
        },
      });
      return { ran: ran.toSorted(), paused, skipped };
    };
    expect(await at([])).toEqual({ ran: [], paused: true, skipped: [] });
    expect(await at(['date'])).toEqual({ ran: ['after', 'date', 'j'], paused: true, skipped: [] });
    expect(await at(['date', 'event'])).toEqual({ ran: ['after', 'date', 'event', 'j'], paused: false, skipped: [] });
  });

  test('is not held up by a step that nothing leads to', async () => {
    const graph = {
      nodes: [trigger('t'), node('a'), node('orphan'), node('j')],
      edges: [edge('t', 'a'), edge('a', 'j'), edge('orphan', 'j')],
    };
    expect(await run(graph, 't')).toEqual({ ran: ['a', 'j'], skipped: ['orphan'], stopped: false });
  });

  test('leaves the branches of other triggers alone', async () => {
    const graph = {
      nodes: [trigger('t'), trigger('u'), node('a'), node('b'), node('both')],
      edges: [edge('t', 'a'), edge('u', 'b'), edge('a', 'both'), edge('b', 'both')],
    };
    expect(await run(graph, 'u')).toEqual({ ran: ['b', 'both'], skipped: ['a'], stopped: false });
  });

  test('passes through a step that is switched off', async () => {
    const graph = {
      nodes: [trigger('t'), node('off', { disabled: true }), node('after')],
      edges: [edge('t', 'off'), edge('off', 'after')],
    };
    expect(await run(graph, 't')).toEqual({ ran: ['after'], skipped: [], stopped: false });
  });

  test('passes through a step with several ways out that is switched off by the one that it is told', async () => {
    const graph = {
      nodes: [trigger('t'), node('off', { disabled: true }), node('yes'), node('no')],
      edges: [edge('t', 'off'), edge('off', 'yes', 'then'), edge('off', 'no', 'else')],
    };
    const ran: string[] = [];
    const { skipped } = await interpret({
      graph,
      entry: { nodeId: 't', port: 'out' },
      execute: ({ id }) => {
        ran.push(id);
        return Promise.resolve({ kind: 'port', port: 'out' });
      },
      passedBy: ({ id }) => (id === 'off' ? 'then' : 'out'),
    });
    expect({ ran, skipped }).toEqual({ ran: ['yes'], skipped: ['no'] });
  });

  test('starts nothing after a stop, and waits for what has begun', async () => {
    const graph = {
      nodes: [trigger('t'), node('bad'), node('slow'), node('after')],
      edges: [edge('t', 'bad'), edge('t', 'slow'), edge('slow', 'after')],
    };
    const { ran, stopped } = await run(graph, 't', { bad: 'stop' }, (id) => (id === 'slow' ? 20 : 1));
    expect({ ran, stopped }).toEqual({ ran: ['bad', 'slow'], stopped: true });
  });

  test('rejects with what a step throws', async () => {
    const graph = { nodes: [trigger('t'), node('a')], edges: [edge('t', 'a')] };
    const execute = () => Promise.reject(new Error('the ledger is gone'));
    await expect(interpret({ graph, entry: { nodeId: 't', port: 'out' }, execute })).rejects.toThrow(
      'the ledger is gone',
    );
  });

  test('rejects only when all that had begun has come to rest, and begins nothing more', async () => {
    const graph = {
      nodes: [trigger('t'), node('bad'), node('worse'), node('slow'), node('after')],
      edges: [edge('t', 'bad'), edge('t', 'worse'), edge('t', 'slow'), edge('slow', 'after')],
    };
    const ran: string[] = [];
    const ended: string[] = [];
    const execute = async ({ id }: PlanNode): Promise<NodeEnd> => {
      ran.push(id);
      for (let turn = { bad: 1, worse: 10, slow: 50 }[id] ?? 1; turn > 0; turn--) await Promise.resolve();
      ended.push(id);
      if (id !== 'slow') throw new Error(id);
      return { kind: 'port', port: 'out' };
    };
    await expect(interpret({ graph, entry: { nodeId: 't', port: 'out' }, execute })).rejects.toThrow('bad');
    expect({ ran, ended }).toEqual({ ran: ['bad', 'worse', 'slow'], ended: ['bad', 'worse', 'slow'] });
  });

  describe('a join with a time limit', () => {
    const graph = {
      nodes: [
        trigger('t'),
        node('fast'),
        node('slow'),
        node('j', { join: { mode: 'all', timeoutSeconds: 60 } }),
        node('after'),
      ],
      edges: [edge('t', 'fast'), edge('t', 'slow'), edge('fast', 'j'), edge('slow', 'j'), edge('j', 'after')],
    };
    /** `fast` came through at second 10; `slow` waits, unless it is said when it came through. */
    const at = async (second: number, begun: readonly string[] = [], slowAt?: number) => {
      const ran: string[] = [];
      const end = await interpret({
        graph,
        entry: { nodeId: 't', port: 'out' },
        execute: ({ id }) => {
          ran.push(id);
          if (id === 'slow' && slowAt === undefined) return Promise.resolve({ kind: 'pause' as const });
          const came = id === 'fast' ? 10 : (slowAt ?? second);
          return Promise.resolve({ kind: 'port' as const, port: 'out', at: came * 1_000 });
        },
        hasBegun: (id) => begun.includes(id),
        now: second * 1_000,
      });
      return { ran, paused: end.paused, wakeAt: end.wakeAt };
    };

    test('waits for the rest, and says until when', async () => {
      expect(await at(20)).toEqual({ ran: ['fast', 'slow'], paused: true, wakeAt: 70_000 });
    });

    test('goes on without the rest when its time is up, once', async () => {
      expect(await at(70)).toEqual({ ran: ['fast', 'slow', 'j', 'after'], paused: true, wakeAt: undefined });
      // Looked at again, however the clock stands, it has gone on; the rest that arrives at last changes nothing.
      expect((await at(69, ['j', 'after'])).ran).toEqual(['fast', 'slow', 'j', 'after']);
      expect((await at(90, ['j', 'after'], 80)).ran.toSorted()).toEqual(['after', 'fast', 'j', 'slow']);
    });

    test('counts from when its region was entered, where a way comes straight from there', async () => {
      const straight = { ...graph, edges: [edge('t', 'slow'), edge('slow', 'j'), edge('t', 'j'), edge('j', 'after')] };
      const ran: string[] = [];
      const end = await interpret({
        graph: { ...straight, nodes: straight.nodes.filter(({ id }) => id !== 'fast') },
        entry: { nodeId: 't', port: 'out', at: 5_000 },
        execute: ({ id }) => {
          ran.push(id);
          return Promise.resolve({ kind: 'pause' as const });
        },
        now: 20_000,
      });
      expect({ ran, wakeAt: end.wakeAt }).toEqual({ ran: ['slow'], wakeAt: 65_000 });
    });

    test('does not wait for its time when all have arrived', async () => {
      expect(await at(20, [], 15)).toEqual({ ran: ['fast', 'slow', 'j', 'after'], paused: false, wakeAt: undefined });
    });
  });

  const joins: readonly Join[] = [
    { mode: 'any' },
    { mode: 'all' },
    { mode: 'count', count: 1 },
    { mode: 'count', count: 2 },
    { mode: 'count', count: 3 },
  ];
  const ports = ['out', 'then', 'else', 'error'] as const;

  /** Any graph without a circle: edges lead from a lower number to a higher one, also from nodes that nothing leads to. */
  const graphs = fc.integer({ min: 2, max: 14 }).chain((size) =>
    fc.record({
      nodes: fc.array(
        fc.record({
          join: fc.constantFrom(...joins),
          disabled: fc.boolean().map((value) => value),
          isTrigger: fc.integer({ min: 0, max: 9 }),
        }),
        { minLength: size, maxLength: size },
      ),
      edges: fc.uniqueArray(
        fc.tuple(fc.nat(size - 1), fc.nat(size - 1), fc.constantFrom(...ports)).filter(([from, to]) => from < to),
        { maxLength: size * 3, selector: ([from, to, port]) => `${from}/${to}/${port}` },
      ),
      ends: fc.array(fc.constantFrom('out', 'out', ...ports), { minLength: size, maxLength: size }),
      turns: fc.array(fc.nat(8), { minLength: size, maxLength: size }),
    }),
  );
  type Drawn = typeof graphs extends fc.Arbitrary<infer T> ? T : never;

  function draw({ nodes, edges, ends, turns }: Drawn) {
    const isTrigger = (index: number): boolean => index === 0 || nodes[index]?.isTrigger === 0;
    const graph: PlanGraph = {
      nodes: nodes.map(({ join, disabled }, index) =>
        node(`n${index}`, isTrigger(index) ? { kind: 'trigger' } : { join, disabled: disabled && index % 3 === 0 }),
      ),
      edges: edges
        .filter(([, to]) => !isTrigger(to))
        .map(([from, to, port]) => edge(`n${from}`, `n${to}`, isTrigger(from) ? 'out' : port))
        .filter(
          (one, index, all) =>
            all.findIndex((other) => other.from === one.from && other.to === one.to && other.port === one.port) ===
            index,
        ),
    };
    return {
      graph,
      ends: Object.fromEntries(ends.map((port, index) => [`n${index}`, port])),
      turnsOf: (id: string) => turns[Number(id.slice(1))] ?? 1,
    };
  }

  test('does on any graph what the definition says: the same steps run and are skipped, each once, and it ends', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (drawn) => {
        const { graph, ends, turnsOf } = draw(drawn);
        const { ran, skipped, stopped } = await run(graph, 'n0', ends, turnsOf);
        const expected = reference(graph, 'n0', ends);
        expect(ran.toSorted()).toEqual([...expected.ran].sort());
        expect(skipped.toSorted()).toEqual([...expected.skipped].sort());
        expect(stopped).toBe(false);
      }),
      { numRuns: 1_500 },
    );
  });

  test('does the same however long each step takes', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.array(fc.nat(20), { minLength: 14, maxLength: 14 }), async (drawn, others) => {
        const { graph, ends, turnsOf } = draw(drawn);
        const first = await run(graph, 'n0', ends, turnsOf);
        const second = await run(graph, 'n0', ends, (id) => others[Number(id.slice(1))] ?? 0);
        expect(second.ran.toSorted()).toEqual(first.ran.toSorted());
        expect(second.skipped.toSorted()).toEqual(first.skipped.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  test('runs no step that the definition would not, and none twice, when some of them stop the run', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(13), async (drawn, stopping) => {
        const { graph, ends, turnsOf } = draw(drawn);
        const expected = reference(graph, 'n0', ends);
        const { ran, stopped } = await run(graph, 'n0', { ...ends, [`n${stopping}`]: 'stop' }, turnsOf);
        expect(new Set(ran).size).toBe(ran.length);
        for (const id of ran) expect(expected.ran).toContain(id);
        expect(stopped).toBe(ran.includes(`n${stopping}`));
      }),
      { numRuns: 300 },
    );
  });

  test('walks a chain of 500 skipped steps', async () => {
    const ids = Array.from({ length: 500 }, (_, index) => `n${index}`);
    const graph = {
      nodes: [trigger('t'), ...ids.map((id) => node(id))],
      edges: [edge('t', 'n0', 'never'), ...ids.slice(1).map((id, index) => edge(`n${index}`, id))],
    };
    expect((await run(graph, 't')).skipped).toEqual(ids);
  });
});
