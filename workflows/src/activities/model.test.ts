import { randomUUID } from 'node:crypto';
import type { Store } from '@plumbline/db';
import { ConnectorFailure, defineAction, type NodeType } from '@plumbline/nodes/sdk';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { FlowDocument, FlowNode, Join, Mapping } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { createActivities } from './index.ts';
import { openBench, type Bench } from './testing.ts';
import { publishFlow } from './testing-flow.ts';

/** How many random flows are tried; two thousand in the long form. */
const RUNS = Number(process.env['PLUMBLINE_MODEL_RUNS'] ?? 200);
const SEED = Number(process.env['PLUMBLINE_MODEL_SEED'] ?? Date.now() % 2_147_483_647);

/** What a step comes to: at once, at the second try, after a person said retry or skip, or never. */
type Fate = 'ok' | 'flaky' | 'retried' | 'skipped' | 'broken';

interface ModelStep {
  readonly kind: 'do' | 'if';
  readonly id: string;
  readonly fate: Fate;
  /** Broken, it undoes the whole run; in a scope it fails that like any other. */
  readonly undoes: boolean;
  /** For conditions: which way. */
  readonly way: 'then' | 'else';
  readonly join: Join;
}
interface ModelLoop {
  readonly kind: 'loop';
  readonly id: string;
  readonly count: number;
  readonly concurrency: number;
  readonly onItemError: 'stop' | 'collect' | 'skip';
  readonly join: Join;
  readonly body: ModelRegion;
}
interface ModelScope {
  readonly kind: 'scope';
  readonly id: string;
  readonly onFailure: 'undo' | 'leave';
  /** Whether its failure has a way of its own; else it fails what it stands in. */
  readonly caught: boolean;
  readonly join: Join;
  readonly body: ModelRegion;
}
type ModelNode = ModelStep | ModelLoop | ModelScope;

/** Nodes in an order in which they may run; `edges` lead from earlier to later ones, from -1 for what the region begins with. */
interface ModelRegion {
  readonly nodes: readonly ModelNode[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly port: string }[];
}

// — what must come out —

interface Expected {
  /** What was done, once each, by step and turn. */
  readonly done: string[];
  /** The same, with what people did in their place, in the order of the drawing. */
  readonly through: string[];
  /** What was undone, in that order. */
  readonly undone: string[];
  readonly failed: boolean;
}

/** How a region ended: it came through, it failed, or the whole run is undone. */
type End = 'out' | 'failed' | 'undone';

/** What the run comes to. */
function outcomeOf(region: ModelRegion): Expected {
  const out: Expected = { done: [], through: [], undone: [], failed: false };
  const end = evaluate(region, { turn: '', inScope: false }, out);
  if (end === 'undone') undo(0, out);
  return { ...out, failed: end !== 'out' };
}

/** Takes back what came through from there on, last first, each once. */
function undo(from: number, out: Expected): void {
  const gone = new Set(out.undone);
  out.undone.push(
    ...out.through
      .slice(from)
      .filter((name) => !gone.has(name))
      .reverse(),
  );
}

interface Place {
  readonly turn: string;
  readonly inScope: boolean;
}

/** Evaluates a region without any notion of time, retries or crashes. */
function evaluate(region: ModelRegion, place: Place, out: Expected): End {
  const left: (string | null)[] = [];
  for (const [index, node] of region.nodes.entries()) {
    const incoming = region.edges.filter(({ to }) => to === index);
    const taken = incoming.filter(({ from, port }) => (from < 0 ? true : left[from] === port)).length;
    const { join } = node;
    const met = join.mode === 'all' ? taken === incoming.length : taken >= (join.mode === 'count' ? join.count : 1);
    if (!met) {
      left[index] = null;
      continue;
    }
    const end =
      node.kind === 'loop'
        ? turns(node, place, out)
        : node.kind === 'scope'
          ? together(node, place, out)
          : step(node, place, out);
    if (end === 'failed' || end === 'undone') return end;
    left[index] = end;
  }
  return 'out';
}

function step(node: ModelStep, { turn, inScope }: Place, out: Expected): string {
  if (node.kind === 'if') return node.way;
  if (node.fate === 'broken') return node.undoes && !inScope ? 'undone' : 'failed';
  const name = `${node.id}/${turn}`;
  out.through.push(name);
  if (node.fate !== 'skipped') out.done.push(name);
  return 'out';
}

function turns(loop: ModelLoop, { turn, inScope }: Place, out: Expected): End {
  for (let index = 0; index < loop.count; index++) {
    const end = evaluate(loop.body, { turn: turn === '' ? String(index) : `${turn}.${index}`, inScope }, out);
    if (end === 'undone' || (end === 'failed' && loop.onItemError === 'stop')) return end;
  }
  return 'out';
}

/** All of it, or none of what can be taken back. */
function together(scope: ModelScope, { turn }: Place, out: Expected): string {
  const from = out.through.length;
  if (evaluate(scope.body, { turn, inScope: true }, out) === 'out') return 'out';
  if (scope.onFailure === 'undo') undo(from, out);
  return scope.caught ? 'error' : 'failed';
}

// — random flows —

/** In a region in which something may break, one thing comes after another: what else would have run beside it is chance. */
function hasBroken(region: ModelRegion): boolean {
  return region.nodes.some((node) =>
    node.kind === 'loop'
      ? (node.onItemError === 'stop' && hasBroken(node.body)) || hasUndoing(node.body)
      : node.kind === 'scope'
        ? !node.caught && hasBroken(node.body)
        : node.kind === 'do' && node.fate === 'broken',
  );
}

/** Whether something in there may undo the run, whatever the loops around it do after failed items. */
function hasUndoing(region: ModelRegion): boolean {
  return region.nodes.some((node) =>
    node.kind === 'loop' ? hasUndoing(node.body) : node.kind === 'do' && node.fate === 'broken' && node.undoes,
  );
}

/** Whether all of it happens one after the other, so that the order is known in which it is undone. */
function isLine({ nodes, edges }: ModelRegion): boolean {
  const inner = nodes.every((node) =>
    node.kind === 'loop' ? node.concurrency === 1 && isLine(node.body) : node.kind !== 'scope' || isLine(node.body),
  );
  return inner && edges.every(({ from, to }) => from === to - 1);
}

const join: fc.Arbitrary<Join> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Join>({ mode: 'any' }) },
  { weight: 1, arbitrary: fc.constant<Join>({ mode: 'all' }) },
  { weight: 1, arbitrary: fc.constant<Join>({ mode: 'count', count: 2 }) },
);

const nothing: ModelRegion = { nodes: [], edges: [] };

/** The same, with something at its end that breaks. */
function breaking({ nodes }: ModelRegion): ModelRegion {
  const last: ModelStep = {
    kind: 'do',
    id: `n${ids++}`,
    fate: 'broken',
    undoes: false,
    way: 'then',
    join: { mode: 'any' },
  };
  return wire([...nodes, last], [0]);
}

let ids = 0;
function regionOf(depth: number): fc.Arbitrary<ModelRegion> {
  const own = fc.record({
    kind: fc.constantFrom('do' as const, 'do' as const, 'if' as const),
    id: fc.nat().map(() => `n${ids++}`),
    fate: fc.constantFrom<Fate>('ok', 'ok', 'ok', 'ok', 'flaky', 'retried', 'skipped', 'broken'),
    undoes: fc.boolean(),
    way: fc.constantFrom('then' as const, 'else' as const),
    join,
  });
  const loop: fc.Arbitrary<ModelNode> = fc.record({
    kind: fc.constant('loop' as const),
    id: fc.nat().map(() => `l${ids++}`),
    count: fc.nat({ max: 3 }),
    concurrency: fc.constantFrom(1, 1, 2, 3),
    onItemError: fc.constantFrom('stop' as const, 'collect' as const, 'skip' as const),
    join,
    body: depth > 0 ? regionOf(depth - 1) : fc.constant(nothing),
  });
  const scope: fc.Arbitrary<ModelNode> = fc.record({
    kind: fc.constant('scope' as const),
    id: fc.nat().map(() => `s${ids++}`),
    onFailure: fc.constantFrom('undo' as const, 'undo' as const, 'leave' as const),
    caught: fc.boolean(),
    join,
    body: depth > 0 ? fc.oneof(regionOf(depth - 1), regionOf(depth - 1).map(breaking)) : fc.constant(nothing),
  });
  const node: fc.Arbitrary<ModelNode> =
    depth > 0
      ? fc.oneof(
          { weight: 5, arbitrary: own as fc.Arbitrary<ModelNode> },
          { weight: 2, arbitrary: loop },
          { weight: 2, arbitrary: scope },
        )
      : own;
  return fc
    .tuple(
      fc.array(node, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat({ max: 99 }), { minLength: 12, maxLength: 12 }),
    )
    .map(([nodes, dice]) => wire(nodes, dice));
}

/** Draws the edges: a line where something may break, else anything without a circle. */
function wire(drawn: readonly ModelNode[], dice: readonly number[]): ModelRegion {
  const nodes = drawn.map((node) =>
    node.kind === 'loop' && ((node.onItemError === 'stop' && hasBroken(node.body)) || hasUndoing(node.body))
      ? { ...node, concurrency: 1 }
      : node,
  );
  const portsOf = (from: number): readonly string[] =>
    from >= 0 && nodes[from]?.kind === 'if' ? ['then', 'else'] : isCaught(nodes[from]) ? ['out', 'error'] : ['out'];
  let next = 0;
  const roll = (sides: number): number => (dice[next++ % dice.length] ?? 0) % sides;
  const edges: ModelRegion['edges'][number][] = [];
  const line = hasBroken({ nodes, edges: [] }) || roll(3) === 0;
  for (let to = 0; to < nodes.length; to++) {
    const from = line ? to - 1 : roll(to + 1) - 1;
    const ports = portsOf(from);
    edges.push({ from, to, port: ports[roll(ports.length)] ?? 'out' });
    if (line) continue;
    const other = roll(to + 1) - 1;
    if (other !== from) edges.push({ from: other, to, port: portsOf(other)[0] ?? 'out' });
  }
  return { nodes: nodes.map((node, index) => ({ ...node, join: metBy(node.join, index, edges) })), edges };
}

/** No step is drawn that waits for more ways than lead to it. */
function metBy(join: Join, index: number, edges: ModelRegion['edges']): Join {
  const ways = edges.filter(({ to }) => to === index).length;
  return join.mode === 'count' && join.count > ways ? { mode: 'count', count: ways } : join;
}

function isCaught(node: ModelNode | undefined): boolean {
  return node?.kind === 'scope' && node.caught;
}

// — the same as a drawing —

function draw(region: ModelRegion): Pick<FlowDocument, 'nodes' | 'edges'> {
  const nodes: Record<string, FlowNode> = { t: { type: 'core.manual', version: 1, name: 't', inputs: {} } };
  const edges: FlowDocument['edges'] = [];
  const expression = (source: string): Mapping => ({ kind: 'expression', source });
  const literal = (value: string | number | boolean): Mapping => ({ kind: 'literal', value });
  const place = (inner: ModelRegion, parent: string | undefined, around: readonly string[]): void => {
    for (const node of inner.nodes) {
      const common = { version: 1, name: node.id, join: node.join, ...(parent ? { parent } : {}) };
      if (node.kind === 'loop') {
        nodes[node.id] = {
          ...{ ...common, type: 'core.for-each', onError: 'stop' },
          inputs: {
            items: { kind: 'literal', value: Array.from({ length: node.count }, (_, index) => index) },
            concurrency: literal(node.concurrency),
            onItemError: literal(node.onItemError),
          },
        };
        place(something(node), node.id, [...around, node.id]);
      } else if (node.kind === 'scope') {
        nodes[node.id] = {
          ...{ ...common, type: 'core.scope', onError: 'stop' },
          inputs: { onFailure: literal(node.onFailure) },
        };
        if (node.caught) {
          // A way for its failure, that leads to nothing.
          const id = `${node.id}_caught`;
          nodes[id] = {
            ...common,
            name: id,
            join: { mode: 'any' },
            type: 'core.if',
            inputs: { condition: literal(true) },
          };
          edges.push({ id: `${node.id}:error:${id}`, from: node.id, port: 'error', to: id });
        }
        place(something(node), node.id, around);
      } else if (node.kind === 'if')
        nodes[node.id] = { ...common, type: 'core.if', inputs: { condition: literal(node.way === 'then') } };
      else {
        const turn = around.length === 0 ? '""' : around.map((id) => `$string(loops.${id}.index)`).join(' & "." & ');
        nodes[node.id] = {
          ...{
            ...common,
            type: 'model.do',
            onError: node.fate !== 'broken' ? 'park' : node.undoes ? 'compensate' : 'stop',
          },
          inputs: { name: expression(`"${node.id}/" & ${turn}`), fate: literal(node.fate) },
        };
      }
    }
    for (const { from, to, port } of inner.edges) {
      const source = from < 0 ? (parent ?? 't') : (inner.nodes[from]?.id ?? '');
      const way = from < 0 && parent ? 'each' : port;
      const target = inner.nodes[to]?.id ?? '';
      edges.push({ id: `${source}:${way}:${target}`, from: source, port: way, to: target });
    }
  };
  place(region, undefined, []);
  return { nodes, edges };
}

/** A loop or a scope needs something inside; what is never led to does nothing. */
function something({ id, body }: ModelLoop | ModelScope): ModelRegion {
  if (body.nodes.length > 0) return body;
  const idle: ModelStep = {
    kind: 'if',
    id: `${id}_idle`,
    fate: 'ok',
    undoes: false,
    way: 'then',
    join: { mode: 'any' },
  };
  return { nodes: [idle], edges: [{ from: -1, to: 0, port: 'out' }] };
}

// — a vendor that keeps its word, and a database that does not —

interface World {
  /** Effects by idempotency key. */
  readonly applied: Map<string, string>;
  /** What was taken back, by idempotency key. */
  readonly undone: Map<string, string>;
  readonly asked: Map<string, number>;
}

function vendor(world: World): NodeType {
  return defineAction({
    ...{ id: 'model.do', title: 'Do', description: '', category: 'Data', icon: '' },
    effect: 'create',
    idempotency: 'key',
    input: z.object({ name: z.string(), fate: z.string() }),
    output: z.object({ name: z.string() }),
    async run({ input: { name, fate }, idempotencyKey }) {
      await Promise.resolve();
      if (world.applied.has(idempotencyKey)) return { output: { name } };
      const time = (world.asked.get(name) ?? 0) + 1;
      world.asked.set(name, time);
      if (fate === 'flaky' && time === 1) throw new ConnectorFailure({ kind: 'unavailable', message: 'Not now.' });
      if (fate === 'broken' || fate === 'skipped' || (fate === 'retried' && time === 1))
        throw new ConnectorFailure({ kind: 'invalid', message: 'No.' });
      world.applied.set(idempotencyKey, name);
      return { output: { name } };
    },
    undo: {
      title: 'Undo',
      async run({ input: { input }, idempotencyKey }) {
        await Promise.resolve();
        if (world.undone.has(idempotencyKey)) return;
        const asked = `undo ${input.name}`;
        const time = (world.asked.get(asked) ?? 0) + 1;
        world.asked.set(asked, time);
        if (input.fate === 'flaky' && time === 1)
          throw new ConnectorFailure({ kind: 'unavailable', message: 'Not now.' });
        if (input.fate === 'retried' && time === 1) throw new ConnectorFailure({ kind: 'invalid', message: 'No.' });
        world.undone.set(idempotencyKey, input.name);
      },
    },
  });
}

/** A number from 0 to 99. */
type Dice = () => number;

/** How the database behaves. */
interface Weather {
  /** Of a hundred exchanges, how many break off before they are committed; as many do after it, so that nobody learns that they went through. */
  readonly cuts: number;
  /** Most milliseconds that an exchange takes longer than another: who began first need not come first. */
  readonly slowMs: number;
}

function unreliable(store: Store, { cuts, slowMs }: Weather, dice: Dice, told: { cuts: number }): Store {
  const pass = async (): Promise<void> => {
    if (slowMs > 0 && dice() < 30) await new Promise((resolve) => setTimeout(resolve, (dice() / 100) * slowMs));
    if (dice() >= cuts) return;
    told.cuts++;
    throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
  };
  const flaky = async <T>(work: () => Promise<T>): Promise<T> => {
    await pass();
    const result = await work();
    await pass();
    return result;
  };
  return new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'tenant' && name !== 'script') return member.bind(target) as unknown;
      return (...given: unknown[]) =>
        flaky(() => (member as (...args: unknown[]) => Promise<unknown>).apply(target, given));
    },
  });
}

let bench: Bench;
const told = { flows: 0, calls: 0, cuts: 0, decisions: 0, undone: 0 };
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test(`${RUNS} random flows come to what a plain evaluation says, whatever fails on the way (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      regionOf(2),
      // Even dice: one that prefers the ends breaks so many connections that nothing comes to its end.
      fc.noBias(fc.infiniteStream(fc.nat({ max: 99 }))).map(
        (stream): Dice =>
          () =>
            stream.next().value ?? 0,
      ),
      fc.record<Weather>({
        cuts: fc.constantFrom(0, 3, 6),
        slowMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(30) }),
      }),
      async (region, dice, weather) => {
        const expected = outcomeOf(region);
        const world: World = { applied: new Map(), undone: new Map(), asked: new Map() };
        const type = vendor(world);
        let time = bench.deps.now().getTime();
        const nodeTypes = new Map([...bench.catalog.nodeTypes, ['model.do@1', type]]);
        const deps: Dependencies = {
          ...bench.deps,
          catalog: { ...bench.catalog, nodeTypes },
          now: () => new Date(time),
          // Mostly one waits for the other, and now and then they are at it side by side.
          leaseMs: dice() < 50 ? 0 : 300,
        };
        const flow = await publishFlow(bench, deps, draw(region), { flowId: randomUUID() });
        const run = await flow.begin();
        const store = unreliable(bench.deps.store, weather, dice, told);
        const input = { companyId: bench.companyId, planHash: flow.planHash, runIds: [run.runId] };
        told.flows++;
        for (let round = 0; ; round++) {
          if (round > 300) throw new Error('The run comes to no end');
          // A process of its own every time; now and then two at once.
          const twice = dice() < (weather.slowMs > 0 ? 50 : 10);
          const calls = Array.from({ length: twice ? 2 : 1 }, () =>
            createActivities({ ...deps, store }).advance(input),
          );
          const answers = await Promise.allSettled(calls);
          told.calls += answers.length;
          // Whoever carried an effect out is gone, and has been for a while.
          await bench.database.asOwner(
            `update effects set updated_at = now() - interval '1 minute' where run_id = $1 and state = 'intent'`,
            [run.runId],
          );
          const failure = answers.find((answer) => answer.status === 'rejected');
          if (failure && !/Connection terminated/.test(String(failure.reason))) throw failure.reason as Error;
          const reports = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
          if (reports.some(({ ended }) => ended)) break;
          time += 60_000;
          const parked = await bench.database.asOwner<{ node_id: string; iteration: string; input: { fate: Fate } }>(
            `select node_id, iteration, input from steps where run_id = $1 and status = 'parked'`,
            [run.runId],
          );
          for (const { node_id: nodeId, iteration, input: mapped } of parked) {
            told.decisions++;
            const decision =
              mapped.fate === 'skipped'
                ? ({ action: 'skip', output: { name: 'by hand' } } as const)
                : ({ action: 'retry' } as const);
            await run.settle(nodeId, decision, iteration);
          }
        }
        const row = await run.row();
        expect(row['status'], JSON.stringify(row['error'])).toBe(expected.failed ? 'failed' : 'succeeded');
        expect([...world.applied.values()].sort()).toEqual([...expected.done].sort());
        const undone = [...world.undone.values()];
        told.undone += undone.length;
        if (isLine(region)) expect(undone).toEqual(expected.undone);
        else expect(undone.sort()).toEqual([...expected.undone].sort());
      },
    ),
    // To look for a smaller one takes far longer than to read this one.
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  console.log(JSON.stringify({ model: { seed: SEED, ...told } }));
  expect(told.cuts, 'broken connections: with none it proved nothing').toBeGreaterThan(0);
  expect(told.undone, 'steps undone: with none it proved nothing').toBeGreaterThan(0);
}, 600_000);
