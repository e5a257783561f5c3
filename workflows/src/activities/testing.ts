import { randomUUID } from 'node:crypto';
import { createVault, json, type Vault } from '@plumbline/db';
import { loadCatalog, type Catalog } from '@plumbline/nodes';
import { pino } from 'pino';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { openSandbox, testClient, testTime, type OpenedSandbox } from '../../../nodes/sdk/testing.ts';
import { Evaluator } from '../evaluate/pool.ts';
import type { Plan, PlanNode, PlanStep } from '../flow/plan.ts';
import { planHash } from '../plan-hash.ts';
import type { Dependencies } from './dependencies.ts';
import { takeUp } from './lane.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import { PlanCache } from './plans.ts';
import { createRunStep, type StepAttempt, type StepOutcome } from './run-step.ts';

/** An attempt, and the plan it belongs to. */
export type BenchAttempt = StepAttempt & { readonly planHash: string };

/** A company with a database of its own, sandboxes to call, and a clock that stands still. */
export interface Bench {
  readonly database: TestDatabase;
  readonly catalog: Catalog;
  readonly vault: Vault;
  readonly companyId: string;
  readonly deps: Dependencies;
  /** Every request to a vendor, in order. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    readonly body: string;
  }[];
  /** Called before a request reaches its vendor. */
  intercept: ((request: Request) => Promise<void>) | undefined;
  /** Connects an account of the vendor's sandbox. */
  connect(
    connector: string,
    options?: { readonly expiresInSeconds?: number; readonly accessToken?: string },
  ): Promise<{ readonly id: string; readonly opened: OpenedSandbox }>;
  /** Begins a run of a plan with these steps behind one trigger. */
  begin(
    steps: Readonly<Record<string, PlanStep>>,
    trigger?: unknown,
  ): Promise<(nodeId: string, more?: Partial<BenchAttempt>) => BenchAttempt>;
  /** Carries one attempt out and waits until it is recorded. */
  runStep(attempt: BenchAttempt): Promise<StepOutcome>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const database = await testDatabase();
  const catalog = await loadCatalog();
  const companyId = await database.company();
  const vault = createVault({ masterKeys: [{ id: 'k1', key: Buffer.alloc(32, 7) }], store: database.store });
  const evaluator = new Evaluator({ size: 1 });
  const sandboxes = new Map<string, OpenedSandbox>();
  const requests: Bench['requests'][number][] = [];
  let offset = 0;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    requests.push({
      method: request.method,
      path: url.pathname + url.search,
      headers: request.headers,
      body: await request.clone().text(),
    });
    await bench.intercept?.(request);
    const sandbox = sandboxes.get(url.pathname.split('/')[2] ?? '');
    if (!sandbox) throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ENOTFOUND' }) });
    return await sandbox.fetch(request);
  };
  const deps: Dependencies = {
    store: database.store,
    vault,
    catalog,
    evaluator,
    log: pino({ level: 'silent' }),
    now: () => new Date(testTime.getTime() + offset),
    fetch,
    fetchPublic: () => Promise.reject(new Error('nothing public is reached here')),
    sandboxOrigin: 'http://sandbox.test/sandbox',
    oauthClients: {},
    sandboxClient: testClient,
  };
  const bench: Bench = {
    database,
    catalog,
    vault,
    companyId,
    deps,
    requests,
    intercept: undefined,

    async connect(id, options = {}) {
      const connector = catalog.connectors.get(id);
      if (!connector) throw new Error(`There is no connector ${id}`);
      const sandbox = await openSandbox(connector);
      const opened = {
        ...sandbox,
        advance: (seconds: number) => {
          offset += seconds * 1_000;
          sandbox.advance(seconds);
        },
      };
      sandboxes.set(id, opened);
      const rowId = randomUUID();
      const secrets = {
        accessToken: options.accessToken ?? opened.connection.accessToken,
        ...(opened.refreshToken ? { refreshToken: opened.refreshToken } : {}),
      };
      const config = json(await vault.seal({ companyId, table: 'integrations', rowId, column: 'config' }, secrets));
      const expires = opened.refreshToken
        ? new Date(deps.now().getTime() + (options.expiresInSeconds ?? 3_600) * 1_000)
        : null;
      await database.asOwner(
        `insert into integrations (id, company_id, type, name, environment, config, account, status, token_expires_at) values ($1, $2, $3, $4, 'sandbox', $5, $6, 'connected', $7)`,
        [rowId, companyId, id, connector.title, config, json(opened.connection.account), expires],
      );
      return { id: rowId, opened };
    },

    async begin(steps, trigger = {}) {
      const plan: Plan = { format: 1, engine: 'jsonata@2.2.2', graph: graphOf(steps), steps, params: {} };
      const hash = planHash(plan);
      const [flowId, runId] = [randomUUID(), randomUUID()];
      await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, $2, $3) on conflict do nothing`, [
        companyId,
        hash,
        json(plan),
      ]);
      await database.asOwner(
        `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Flow', 'on', '{}')`,
        [flowId, companyId],
      );
      await database.asOwner(
        `insert into runs (id, company_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status, queued_at) values ($1, $2, $3, 1, $4, 'trigger', 'carrier', 0, 'running', $5)`,
        [runId, companyId, flowId, hash, deps.now()],
      );
      await database.asOwner(
        `insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at) values ($1, $2, 'trigger', '', 'succeeded', 1, 'out', $3, now())`,
        [companyId, runId, json(trigger)],
      );
      return (nodeId, more = {}) => ({
        companyId,
        runId,
        planHash: hash,
        nodeId,
        iteration: '',
        attempt: 1,
        maxAttempts: 3,
        onError: 'park',
        initialSeconds: 2,
        ...more,
      });
    },

    async runStep(attempt) {
      const { companyId: company, runId, nodeId, planHash: hash } = attempt;
      const plan = await new PlanCache(database.store).load(company, hash);
      const ledger = createLedgerWriter(database.store);
      const { lanes } = await takeUp({
        store: database.store,
        companyId: company,
        runIds: [runId],
        plan,
        ledger,
        now: deps.now(),
        // Nobody lets it go again; it has run out when it begins, also for whoever asks at the same moment.
        lease: randomUUID(),
        leaseMs: -60_000,
      });
      const [lane, step] = [lanes.get(runId), plan.steps[nodeId]];
      if (!lane || !step) throw new Error(`There is no step ${nodeId} in run ${runId}`);
      const outcome = await createRunStep(deps).runStep(attempt, step, lane);
      await lane.commit({});
      return outcome;
    },

    async close() {
      await evaluator.close();
      await database.close();
    },
  };
  return bench;
}

/** One trigger, and every step straight behind it. */
function graphOf(steps: Readonly<Record<string, PlanStep>>): Plan['graph'] {
  const node = (id: string, kind: 'trigger' | 'action'): PlanNode => ({
    id,
    kind,
    join: { mode: 'any' },
    retry: { attempts: 3, initialSeconds: 2 },
    onError: 'park',
    disabled: false,
  });
  const ids = Object.keys(steps);
  return {
    nodes: [node('trigger', 'trigger'), ...ids.map((id) => node(id, 'action'))],
    edges: ids.map((id) => ({ from: 'trigger', port: 'out', to: id })),
  };
}
