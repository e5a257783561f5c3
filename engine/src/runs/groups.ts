import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { StepNotParkedError, type StepDecision } from '@plumbline/workflows/client';
import { sql } from 'kysely';
import type { GroupDecision, GroupOutcome, StuckGroup, StuckStep } from '../contract.ts';
import { describeSubject } from '../flows/subject.ts';
import { notFound } from '../problem.ts';
import type { Services } from '../services.ts';

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
export async function listGroups(tx: Transaction, companyId: string): Promise<StuckGroup[]> {
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
    ])
    .groupBy([fingerprint, 'runs.flow_id', 'flows.name', 'steps.node_id'])
    .orderBy('count', 'desc')
    .orderBy('newest', 'desc')
    .execute();
  return rows.map((row) => ({
    fingerprint: row.fingerprint,
    flowId: row.flow_id,
    flowName: row.name,
    nodeId: row.node_id,
    nodeName: row.node_name ?? row.node_id,
    kind: row.error?.['kind'] ?? '',
    code: row.error?.['code'] ?? '',
    count: Number(row.count),
    message: row.error?.['message'] ?? 'It waits for a decision.',
    fix: row.error?.['fix'] ?? '',
    exampleRunId: row.run_id,
    oldest: new Date(row.oldest).toISOString(),
    newest: new Date(row.newest).toISOString(),
  }));
}

/**
 * Decides about every step of a group, several at a time, each through its own carrier, so the first decision about a step stands here as everywhere.
 * @throws ApiError `not_found` when nothing waits under that name.
 */
export async function decideGroup(
  services: Pick<Services, 'deps' | 'carriers'>,
  who: { readonly companyId: string; readonly actor: string },
  name: string,
  given: GroupDecision,
): Promise<GroupOutcome> {
  const { companyId, actor } = who;
  const { store } = services.deps;
  const { rows, total, gone } = await store.tenant(companyId, async (tx) => {
    const found = await stepsOf(tx, companyId, name, given.runIds);
    const here = new Set(found.rows.map((row) => row.run_id));
    return { ...found, gone: await noLongerThere(tx, companyId, given.runIds?.filter((id) => !here.has(id)) ?? []) };
  });
  if (rows.length === 0 && gone.length === 0) throw notFound('group');
  const steps = rows.map(toStuckStep);
  const plan = { count: steps.length + gone.length, steps, left: total - steps.length };
  if (given.dryRun) return { ...plan, count: steps.length, done: 0, refused: [] };

  const refused: (StuckStep & { readonly why: string })[] = gone.map((step) => ({ ...step, why: decidedBefore }));
  const waiting = rows.toReversed();
  let silent = 0;
  const work = async (): Promise<void> => {
    for (let row = waiting.pop(); row; row = waiting.pop()) {
      // Three that nobody answered: the others would only make the asker wait.
      const why =
        silent >= 3
          ? 'Not tried, because the engine did not answer for others.'
          : await decideOne(services, companyId, row, toDecision(given));
      if (why === noAnswer) silent++;
      if (why) refused.push({ ...toStuckStep(row), why });
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, rows.length) }, work));

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

function toDecision({ action, output, port }: GroupDecision): StepDecision {
  return action === 'skip' ? { action, output: output ?? {}, ...(port ? { port } : {}) } : { action };
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
