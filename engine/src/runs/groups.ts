import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { StepNotParkedError, type StepDecision } from '@plumbline/workflows/client';
import { findNodeType, waysPast, type CatalogInfo, type Plan, type PlanStep } from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import type { GroupDecision, GroupOutcome, StuckGroup, StuckStep } from '../contract/index.ts';
import { describeSubject } from '../flows/subject.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { mask } from './mask.ts';
import { checkDecision, type GivenDecision } from './check-decision.ts';

/** Most steps one decision takes on; what is left is decided with the next. */
const AT_ONCE = 1_000;
/** Decisions under way at the same time: each is an update of a workflow and an exchange with the ledger. */
const IN_FLIGHT = 8;
/** A carrier without a worker answers never. */
const PATIENCE_MS = 20_000;

/** Names what is wrong with a parked step. Steps with the same name wait for the same thing. */
const fingerprint = sql<string>`left(encode(sha256(convert_to(concat_ws(E'\n', runs.flow_id, steps.node_id, steps.error ->> 'kind', steps.error ->> 'code'), 'UTF8')), 'hex'), 32)`;

/** Parked steps of open runs, which are few however many there were. Served by `runs_open`. */
function parkedSteps(tx: Transaction, companyId: string) {
  return tx
    .selectFrom('runs')
    .innerJoin('steps', (join) =>
      join.onRef('steps.company_id', '=', 'runs.company_id').onRef('steps.run_id', '=', 'runs.id'),
    )
    .where('runs.company_id', '=', companyId)
    .where('runs.finished_at', 'is', null)
    .where('steps.status', '=', 'parked');
}

/** What waits for a person, by what is wrong; most of it first. */
export async function listGroups(tx: Transaction, companyId: string, info: CatalogInfo): Promise<StuckGroup[]> {
  const newest = <T>(expression: string) =>
    sql<T>`(array_agg(${sql.raw(expression)} order by steps.started_at desc, runs.id))[1]`;
  const rows = await parkedSteps(tx, companyId)
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .innerJoin('plans', (join) =>
      join.onRef('plans.company_id', '=', 'runs.company_id').onRef('plans.hash', '=', 'runs.plan_hash'),
    )
    .select((eb) => [
      fingerprint.as('fingerprint'),
      'runs.flow_id',
      'flows.name',
      'steps.node_id',
      eb.fn.countAll<string>().as('count'),
      eb.fn.min('steps.started_at').as('oldest'),
      eb.fn.max('steps.started_at').as('newest'),
      newest<Record<string, string> | null>('steps.error').as('error'),
      newest<string>('runs.id').as('run_id'),
      newest<string | null>(`plans.plan -> 'steps' -> steps.node_id ->> 'name'`).as('node_name'),
      newest<string | null>(`plans.plan -> 'steps' -> steps.node_id ->> 'type'`).as('type'),
      newest<string | null>(`plans.plan -> 'steps' -> steps.node_id ->> 'version'`).as('type_version'),
      newest<boolean>(
        `exists (select from jsonb_array_elements(plans.plan -> 'graph' -> 'edges') e where e ->> 'from' = steps.node_id and e ->> 'port' = 'error')`,
      ).as('error_way'),
    ])
    .groupBy([fingerprint, 'runs.flow_id', 'flows.name', 'steps.node_id'])
    .orderBy('count', 'desc')
    .orderBy('newest', 'desc')
    .execute();
  const planned = await plannedSteps(tx, companyId, rows);
  return rows.map((row) => ({
    fingerprint: row.fingerprint,
    flowId: row.flow_id,
    flowName: row.name,
    nodeId: row.node_id,
    nodeName: row.node_name ?? row.node_id,
    type: row.type ?? '',
    typeVersion: Number(row.type_version ?? 1),
    errorWay: row.error_way,
    ports: portsOfStep(info, planned.get(`${row.run_id}\n${row.node_id}`)),
    kind: row.error?.['kind'] ?? '',
    code: row.error?.['code'] ?? '',
    count: Number(row.count),
    message: mask(row.error?.['message'] ?? 'It waits for a decision.'),
    fix: row.error?.['fix'] ?? '',
    exampleRunId: row.run_id,
    oldest: new Date(row.oldest).toISOString(),
    newest: new Date(row.newest).toISOString(),
  }));
}

/** Steps as the plans of their runs have them. Only one of each group, for its inputs may be long. */
async function plannedSteps(
  tx: Transaction,
  companyId: string,
  steps: readonly { readonly run_id: string; readonly node_id: string }[],
): Promise<ReadonlyMap<string, PlanStep>> {
  if (steps.length === 0) return new Map();
  const [runIds, nodeIds] = [steps.map(({ run_id }) => run_id), steps.map(({ node_id }) => node_id)];
  const { rows } = await sql<{ run_id: string; node_id: string; step: PlanStep | null }>`
    select wanted.run_id, wanted.node_id, plans.plan -> 'steps' -> wanted.node_id as step
      from unnest(${runIds}::uuid[], ${nodeIds}::text[]) as wanted (run_id, node_id)
      join runs on runs.company_id = ${companyId} and runs.id = wanted.run_id
      join plans on plans.company_id = ${companyId} and plans.hash = runs.plan_hash`.execute(tx);
  return new Map(
    rows.flatMap(({ run_id, node_id, step }): [string, PlanStep][] => (step ? [[`${run_id}\n${node_id}`, step]] : [])),
  );
}

function portsOfStep(info: CatalogInfo, step: PlanStep | undefined): StuckGroup['ports'] {
  const type = step && findNodeType(info, step.type, step.version);
  return type ? waysPast(step, type) : [];
}

/**
 * Decides about every step of a group, several at a time, each through its own carrier, so the first decision about a step stands here as everywhere.
 * @throws ApiError `not_found` when nothing waits under that name.
 */
export async function decideGroup(
  services: Pick<Services, 'deps' | 'carriers' | 'info'>,
  who: { readonly companyId: string; readonly actor: string },
  name: string,
  given: GroupDecision,
): Promise<GroupOutcome> {
  const { companyId, actor } = who;
  const { store } = services.deps;
  const { rows, total, gone, plans } = await store.tenant(companyId, async (tx) => {
    const found = await stepsOf(tx, companyId, name, given.runIds);
    const here = new Set(found.rows.map((row) => row.run_id));
    return {
      ...found,
      plans: await plansOf(tx, companyId, found.rows),
      gone: await noLongerThere(tx, companyId, given.runIds?.filter((id) => !here.has(id)) ?? []),
    };
  });
  if (rows.length === 0 && gone.length === 0) throw notFound('group');
  const steps = rows.map(toStuckStep);
  const plan = { count: steps.length + gone.length, steps, left: total - steps.length };
  const { accepted, unfit } = checkAll(services, rows, plans, given);
  if (given.dryRun) return { ...plan, count: steps.length, done: 0, refused: unfit };

  const refused: (StuckStep & { readonly why: string })[] = [
    ...gone.map((step) => ({ ...step, why: decidedBefore })),
    ...unfit,
  ];
  // Many at once wait for nobody: where a vendor takes no more, everything else goes before them.
  const again = accepted.filter(({ decision }) => decision.action === 'retry');
  if (again.length > 1)
    await store.tenant(companyId, (tx) =>
      tx
        .updateTable('runs')
        .set({ urgency: 3 })
        .where('company_id', '=', companyId)
        .where(
          'id',
          'in',
          again.map(({ row }) => row.run_id),
        )
        .execute(),
    );
  const waiting = accepted.toReversed();
  let silent = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { row, decision } = next;
      // Three that nobody answered: the others would only make the asker wait.
      const why =
        silent >= 3
          ? 'Not tried, because the engine did not answer for others.'
          : await decideOne(services, companyId, row, decision);
      if (why === noAnswer) silent++;
      if (why) refused.push({ ...toStuckStep(row), why });
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, accepted.length) }, work));

  const done = plan.count - refused.length;
  await store.tenant(companyId, (tx) =>
    appendAudit(tx, {
      actor,
      action: `steps.${given.action}`,
      targetType: 'group',
      targetId: name,
      details: {
        flowId: rows[0]?.flow_id ?? null,
        nodeId: rows[0]?.node_id ?? null,
        count: plan.count,
        done,
        refused: refused.length,
      },
    }),
  );
  return { ...plan, done, refused };
}

const decidedBefore = 'Someone decided about it before, or its run has ended.';
const noAnswer = 'The engine did not answer in time. Look at the run: it may have gone through.';

/** @returns why it did not go through, or undefined when it did. */
async function decideOne(
  { carriers, deps }: Pick<Services, 'deps' | 'carriers'>,
  companyId: string,
  row: StuckRow,
  decision: StepDecision,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deciding = carriers
    .decide(
      { companyId, carrierId: row.carrier_id },
      { runId: row.run_id, nodeId: row.node_id, iteration: row.iteration, decision },
    )
    .then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof StepNotParkedError) return decidedBefore;
        deps.log.warn({ err: error, companyId, runId: row.run_id }, 'a decision about many did not reach one of them');
        return noAnswer;
      },
    );
  const waited = new Promise<string>((resolve) => (timer = setTimeout(() => resolve(noAnswer), PATIENCE_MS)));
  return await Promise.race([deciding, waited]).finally(() => clearTimeout(timer));
}

function toGiven({ action, output, port, patch, compensate }: GroupDecision): GivenDecision {
  if (action === 'skip') return { action, output: output ?? {}, ...(port ? { port } : {}) };
  if (action === 'retry') return { action, ...(patch ? { patch } : {}) };
  return action === 'abort' ? { action, ...(compensate ? { compensate } : {}) } : { action };
}

/** Each step has its own input and may be of its own version, so one decision may fit some and not others. */
function checkAll(
  { deps, info }: Pick<Services, 'deps' | 'info'>,
  rows: readonly StuckRow[],
  plans: ReadonlyMap<string, Plan>,
  given: GroupDecision,
) {
  const accepted: { readonly row: StuckRow; readonly decision: StepDecision }[] = [];
  const unfit: (StuckStep & { readonly why: string })[] = [];
  for (const row of rows) {
    const plan = plans.get(row.plan_hash);
    if (!plan) continue;
    try {
      const step = { nodeId: row.node_id, input: row.input, plan };
      accepted.push({ row, decision: checkDecision({ catalog: deps.catalog, info }, step, toGiven(given)) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      unfit.push({ ...toStuckStep(row), why: error.message });
    }
  }
  return { accepted, unfit };
}

async function plansOf(
  tx: Transaction,
  companyId: string,
  rows: readonly StuckRow[],
): Promise<ReadonlyMap<string, Plan>> {
  const hashes = [...new Set(rows.map((row) => row.plan_hash))];
  if (hashes.length === 0) return new Map();
  const found = await tx
    .selectFrom('plans')
    .select(['hash', 'plan'])
    .where('company_id', '=', companyId)
    .where('hash', 'in', hashes)
    .execute();
  return new Map(found.map(({ hash, plan }) => [hash, plan as unknown as Plan]));
}

type StuckRow = Awaited<ReturnType<typeof stepsOf>>['rows'][number];

/** The steps of a group, those that wait longest first. */
async function stepsOf(tx: Transaction, companyId: string, name: string, runIds: readonly string[] | undefined) {
  let query = parkedSteps(tx, companyId).where(fingerprint, '=', name);
  if (runIds) query = query.where('runs.id', '=', sql<string>`any(${runIds}::uuid[])`);
  const { total } = await query.select((eb) => eb.fn.countAll<string>().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .leftJoin('events', (join) =>
      join.onRef('events.company_id', '=', 'runs.company_id').onRef('events.id', '=', 'runs.event_id'),
    )
    .select([
      'steps.run_id',
      'steps.node_id',
      'steps.iteration',
      'steps.started_at',
      'steps.input',
      'runs.plan_hash',
      'runs.carrier_id',
      'runs.flow_id',
      'events.key',
      'events.data',
    ])
    .orderBy('steps.started_at')
    .orderBy('steps.run_id')
    .limit(AT_ONCE)
    .execute();
  return { rows, total: Number(total) };
}

/** Runs that were looked at and do not wait in the group any more: whoever decides is told, as about those that go wrong later. */
async function noLongerThere(tx: Transaction, companyId: string, runIds: readonly string[]): Promise<StuckStep[]> {
  if (runIds.length === 0) return [];
  const rows = await tx
    .selectFrom('runs')
    .leftJoin('events', (join) =>
      join.onRef('events.company_id', '=', 'runs.company_id').onRef('events.id', '=', 'runs.event_id'),
    )
    .select(['runs.id', 'runs.queued_at', 'events.key', 'events.data'])
    .where('runs.company_id', '=', companyId)
    .where('runs.id', 'in', runIds)
    .execute();
  return rows.map((row) => ({
    runId: row.id,
    nodeId: '',
    iteration: '',
    subject: row.key && row.data ? describeSubject(row.key, row.data) : null,
    since: row.queued_at.toISOString(),
  }));
}

function toStuckStep(row: StuckRow): StuckStep {
  return {
    runId: row.run_id,
    nodeId: row.node_id,
    iteration: row.iteration,
    subject: row.key && row.data ? describeSubject(row.key, row.data) : null,
    since: row.started_at.toISOString(),
  };
}
