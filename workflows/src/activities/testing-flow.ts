import { randomUUID } from 'node:crypto';
import { json, type Store } from '@plumbline/db';
import { ConnectorFailure, defineAction, defineTrigger, type NodeType } from '@plumbline/nodes/sdk';
import { z } from 'zod';
import { catalogInfo } from '../catalog-info.ts';
import { compile } from '../flow/compile/index.ts';
import type { FlowDocument } from '../flow/schema.ts';
import { planHash } from '../plan-hash.ts';
import type { LaneReport, StepDecision } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { createActivities } from './index.ts';
import type { Bench } from './testing.ts';

type Outcome = 'ok' | 'unavailable' | 'invalid';

/** A vendor that does what it is told, and remembers what it was asked. */
export interface ScriptedVendor {
  /** What the next calls with this name come to. @default ok */
  readonly outcomes: Map<string, Outcome[]>;
  readonly calls: string[];
  readonly undone: string[];
  readonly nodeTypes: readonly NodeType[];
}

export function scriptedVendor(): ScriptedVendor {
  const outcomes = new Map<string, Outcome[]>();
  const calls: string[] = [];
  const undone: string[] = [];
  const perform = async (name: string): Promise<void> => {
    await Promise.resolve();
    const outcome = outcomes.get(name)?.shift() ?? 'ok';
    if (outcome !== 'ok') throw new ConnectorFailure({ kind: outcome, message: `It was ${outcome}.` });
  };
  const common = { title: 'Do it', description: '', category: 'Data', icon: '' } as const;
  const input = z.object({ name: z.string() });
  const output = z.object({ name: z.string() });
  const run = async ({ input: { name } }: { readonly input: { readonly name: string } }) => {
    calls.push(name);
    await perform(name);
    return { output: { name } };
  };
  return {
    outcomes,
    calls,
    undone,
    nodeTypes: [
      defineTrigger({
        ...common,
        id: 'test.begin',
        input: z.object({}),
        output: z.any(),
        subscription: { kind: 'manual' },
      }),
      defineAction({ ...common, id: 'test.look', effect: 'read', input, output, run }),
      defineAction({ ...common, id: 'test.write', effect: 'create', idempotency: 'key', input, output, run }),
      defineAction({
        ...common,
        id: 'test.book',
        effect: 'create',
        idempotency: 'key',
        input,
        output,
        run,
        undo: {
          title: 'Takes it back',
          run: async ({ input: { output: booked } }) => {
            undone.push(booked.name);
            await perform(`undo ${booked.name}`);
          },
        },
      }),
    ],
  };
}

/** What a bench works with, and the vendor's node types among those that it knows. */
export function withVendor({ deps, catalog }: Bench, { nodeTypes }: Pick<ScriptedVendor, 'nodeTypes'>): Dependencies {
  const types = nodeTypes.map((type) => [`${type.id}@1`, type] as const);
  return { ...deps, catalog: { ...catalog, nodeTypes: new Map([...catalog.nodeTypes, ...types]) } };
}

/** A node of the first version with literal inputs as given, and expressions where the text begins with `=`. */
export function drawnNode(type: string, inputs: Readonly<Record<string, unknown>> = {}): FlowDocument['nodes'][string] {
  return {
    ...{ type, version: 1, name: type },
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([field, value]) => [
        field,
        typeof value === 'string' && value.startsWith('=')
          ? { kind: 'expression' as const, source: value.slice(1) }
          : { kind: 'literal' as const, value: value as string },
      ]),
    ),
  };
}

export function drawnEdge(from: string, to: string, port = 'out'): FlowDocument['edges'][number] {
  return { id: `${from}:${port}:${to}`, from, port, to };
}

export interface PlayedFlow {
  readonly flowId: string;
  readonly planHash: string;
  /** Begins a run. */
  begin(trigger?: unknown): Promise<PlayedRun>;
}

export interface PlayedRun {
  readonly runId: string;
  /** Carries it on once. */
  advance(): Promise<LaneReport | undefined>;
  /** Carries it on until it ends, or waits for more than the time at hand. */
  play(): Promise<LaneReport | undefined>;
  settle(nodeId: string, decision: StepDecision, iteration?: string): Promise<boolean>;
  row(): Promise<Record<string, unknown>>;
  /** Steps as the ledger has them, by node and iteration. */
  steps(): Promise<Record<string, Record<string, unknown>>>;
}

/** Publishes a drawing in the bench's company, compiled as the product compiles it. */
export async function publishFlow(
  bench: Bench,
  given: Dependencies,
  document: Omit<FlowDocument, 'schema' | 'positions' | 'connections' | 'params'> & Partial<FlowDocument>,
  options: { readonly flowId?: string; readonly version?: number } = {},
): Promise<PlayedFlow> {
  const { companyId, database } = bench;
  const deps = given;
  const { plan, findings } = compile(
    { schema: 1, positions: {}, connections: {}, params: {}, ...document },
    catalogInfo(deps.catalog),
  );
  if (!plan) throw new Error(findings.map(({ message }) => message).join('\n'));
  const hash = planHash(plan);
  const { flowId = randomUUID(), version = 1 } = options;
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, $2, $3) on conflict do nothing`, [
    companyId,
    hash,
    json(plan),
  ]);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft, published_version) values ($1, $2, 'Flow', 'on', '{}', $3)
     on conflict (company_id, id) do update set published_version = excluded.published_version`,
    [flowId, companyId, version],
  );
  await database.asOwner(
    `insert into flow_versions (company_id, flow_id, number, document, plan_hash) values ($1, $2, $3, $4, $5)`,
    [companyId, flowId, version, json(document), hash],
  );
  const trigger = plan.graph.nodes.find(({ kind }) => kind === 'trigger')?.id ?? '';
  return {
    flowId,
    planHash: hash,
    begin: async (output = {}) => {
      const runId = randomUUID();
      await database.asOwner(
        `insert into runs (id, company_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status, queued_at)
         values ($1, $2, $3, $4, $5, $6, $7, 0, 'queued', $8)`,
        [runId, companyId, flowId, version, hash, trigger, randomUUID(), deps.now()],
      );
      await database.asOwner(
        `insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at, finished_at)
         values ($1, $2, $3, '', 'succeeded', 1, 'out', $4, $5, $5)`,
        [companyId, runId, trigger, json(output), deps.now()],
      );
      return playedRun(bench, deps, { runId, planHash: hash });
    },
  };
}

/** A run that is there already. */
export function playedRun(
  bench: Bench,
  deps: Dependencies,
  { runId, planHash: hash }: { readonly runId: string; readonly planHash: string },
): PlayedRun {
  const { companyId, database } = bench;
  const advance = async (): Promise<LaneReport | undefined> => {
    // A process of its own every time: nothing is known but what the ledger knows.
    const [report] = await createActivities(deps).advance({ companyId, planHash: hash, runIds: [runId] });
    return report;
  };
  return {
    runId,
    advance,
    play: async () => {
      for (;;) {
        const report = await advance();
        if (!report || report.ended || report.wakeInMs === null || report.wakeInMs > 0) return report;
      }
    },
    settle: (nodeId, decision, iteration = '') =>
      createActivities(deps).settleStep({
        ...{ companyId, planHash: hash, runId, nodeId, iteration, decision, exclusive: true },
      }),
    row: async () => {
      const [row] = await database.asOwner<Record<string, unknown>>('select * from runs where id = $1', [runId]);
      return row ?? {};
    },
    steps: async () => {
      const rows = await database.asOwner<Record<string, unknown>>(
        'select node_id, iteration, status, port, input, output, error, closed from steps where run_id = $1',
        [runId],
      );
      return Object.fromEntries(
        rows.map(({ node_id, iteration, ...row }) => [iteration === '' ? node_id : `${node_id} ${iteration}`, row]),
      );
    },
  };
}

/** A store that breaks off one exchange, counted from 1: before it is committed, or after it. */
export function breaking(
  store: Store,
  which: number,
  when: 'before' | 'after',
): { store: Store; readonly asked: () => number } {
  let asked = 0;
  const exchange = async (work: () => Promise<unknown>): Promise<unknown> => {
    const breaks = ++asked === which;
    if (breaks && when === 'before') throw connectionLost();
    const result = await work();
    if (breaks) throw connectionLost();
    return result;
  };
  const broken = new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'tenant' && name !== 'script') return member.bind(target) as unknown;
      return (...given: unknown[]) =>
        exchange(() => (member as (...args: unknown[]) => Promise<unknown>).apply(target, given));
    },
  });
  return { store: broken, asked: () => asked };
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
}
