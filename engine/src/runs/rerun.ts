import { randomUUID } from 'node:crypto';
import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { canonicalJson, findNodeType, regionsOf, type Plan, type PlanStep } from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Rerun, RerunRequest } from '../contract/index.ts';
import { startCarriers } from '../dispatch/start-carriers.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { carryUnsettled } from './carry-unsettled.ts';
import { checkRerunInput } from './check-rerun-input.ts';
import { unmask } from './mask.ts';

/**
 * Runs a closed run again, as a run of its own: under its own effect keys, so that what it writes is written again. What is recorded of the nodes that do
 * not follow `from` is taken over, and not done again. A write of which nobody knows whether it went through is looked for before it is sent once more.
 * @throws ApiError `not_found`; `invalid_transition` while the run, or another that repeats it, is open; `invalid_input` for a node that is none, an
 * input in which a mask is left, or one that the trigger would not give; `unknown_field`.
 */
export async function rerun(
  services: Services,
  who: { readonly companyId: string; readonly actor: string },
  runId: string,
  request: RerunRequest,
): Promise<Rerun> {
  const { companyId, actor } = who;
  const { store } = services.deps;
  const { answer, carrier } = await store.tenant(companyId, async (tx) => {
    const run = await closedRun(tx, companyId, runId);
    const target = await planOf(tx, companyId, run, request.version);
    const again = following(target.plan, run.trigger_node_id, request.from);
    const carried = await recorded(tx, companyId, run, target, again);
    const answer = describe(services, target, run.trigger_node_id, carried);
    const given = request.input
      ? { ...request, input: await asItBegins(tx, services, { companyId, run, target, input: request.input }) }
      : request;
    if (request.dryRun) return { answer, carrier: undefined };

    const id = await write(tx, { companyId, run, target, carried, request: given, now: services.deps.now() });
    await appendAudit(tx, {
      actor,
      action: 'run.repeated',
      targetType: 'run',
      targetId: id.runId,
      details: {
        of: runId,
        version: target.number,
        from: request.from ?? null,
        inputReplaced: request.input !== undefined,
        carried: [...carried],
      },
    });
    return {
      answer: { ...answer, runId: id.runId },
      carrier: { companyId, ...id, planHash: target.hash, triggerNodeId: run.trigger_node_id },
    };
  });
  // Not waited for: if Temporal is away, the dispatcher starts it when it is back.
  if (carrier)
    void startCarriers({ store, carriers: services.carriers, log: services.deps.log, now: services.deps.now }, [
      carrier,
    ]);
  return answer;
}

/**
 * The input as the run begins with it. What was shown masked comes back masked: there it stays what it was.
 * @throws ApiError `invalid_input` where it is not certain what that was, and with `unknown_field` where the trigger would not give it
 */
async function asItBegins(
  tx: Transaction,
  { info }: Services,
  given: {
    readonly companyId: string;
    readonly run: ClosedRun;
    readonly target: Target;
    readonly input: Readonly<Record<string, unknown>>;
  },
): Promise<Readonly<Record<string, unknown>>> {
  const { companyId, run, target } = given;
  const started = await tx
    .selectFrom('steps')
    .select('output')
    .where('company_id', '=', companyId)
    .where('run_id', '=', run.id)
    .where('node_id', '=', run.trigger_node_id)
    .executeTakeFirst();
  const former = started?.output ?? {};
  const nodeId = run.trigger_node_id;
  const work = { companyId, info, nodeId, step: target.plan.steps[nodeId], former };
  return await checkRerunInput(tx, { ...work, input: unmask(given.input, former) });
}

type ClosedRun = Awaited<ReturnType<typeof closedRun>>;

async function closedRun(tx: Transaction, companyId: string, runId: string) {
  const run = await tx
    .selectFrom('runs')
    .select(['id', 'flow_id', 'flow_version', 'plan_hash', 'event_id', 'trigger_node_id', 'finished_at', 'test'])
    .where('company_id', '=', companyId)
    .where('id', '=', runId)
    .executeTakeFirst();
  if (!run) throw notFound('run');
  // What was only tried out would be done in earnest.
  if (run.test)
    throw new ApiError('invalid_transition', 'This run only tried a drawing out.', {
      fix: 'Open the flow and test it again.',
    });
  if (!run.finished_at)
    throw new ApiError('invalid_transition', 'This run has not ended yet.', {
      fix: 'Decide about the step it waits at, or cancel it; then run it again.',
    });
  return run;
}

interface Target {
  readonly number: number;
  readonly hash: string;
  readonly plan: Plan;
  /** Steps as the closed run knew them. */
  readonly former: Plan['steps'];
}

async function planOf(
  tx: Transaction,
  companyId: string,
  run: ClosedRun,
  version: RerunRequest['version'],
): Promise<Target> {
  const load = async (hash: string): Promise<Plan> => {
    const row = await tx
      .selectFrom('plans')
      .select('plan')
      .where('company_id', '=', companyId)
      .where('hash', '=', hash)
      .executeTakeFirstOrThrow();
    return row.plan as unknown as Plan;
  };
  const same = await load(run.plan_hash);
  if (version === 'same') return { number: run.flow_version, hash: run.plan_hash, plan: same, former: same.steps };
  const current = await tx
    .selectFrom('flows')
    .innerJoin('flow_versions', (join) =>
      join
        .onRef('flow_versions.company_id', '=', 'flows.company_id')
        .onRef('flow_versions.flow_id', '=', 'flows.id')
        .onRef('flow_versions.number', '=', 'flows.published_version'),
    )
    .select(['flow_versions.number', 'flow_versions.plan_hash'])
    .where('flows.company_id', '=', companyId)
    .where('flows.id', '=', run.flow_id)
    .executeTakeFirst();
  if (!current)
    throw new ApiError('invalid_transition', 'The flow has no published version.', {
      fix: 'Publish it, or run it again with the version it had.',
    });
  const plan = await load(current.plan_hash);
  if (!plan.graph.nodes.some(({ id, kind }) => id === run.trigger_node_id && kind === 'trigger'))
    throw new ApiError(
      'invalid_transition',
      `Version ${current.number} of the flow no longer begins where this run began.`,
      { fix: 'Run it again with the version it had.' },
    );
  return { number: current.number, hash: current.plan_hash, plan, former: same.steps };
}

/**
 * Nodes that run again whatever is recorded: `from` and all that follows it. A scope or a loop that it stands in begins anew: a scope is undone or not only
 * as a whole, and a step in a loop stands for as many as there were items.
 */
function following(plan: Plan, triggerNodeId: string, from: string | undefined): ReadonlySet<string> {
  const start = from ?? triggerNodeId;
  if (from !== undefined && !plan.graph.nodes.some(({ id, kind }) => id === from && kind !== 'trigger'))
    throw new ApiError('invalid_input', `There is no step "${from}" in that version of the flow.`, {
      path: 'from',
      fix: 'Choose another step, or begin at the trigger.',
    });
  const regions = regionsOf(plan.graph);
  const [container] = regions.around(start);
  const reached = new Set(container === undefined ? [start] : [container, ...regions.within(container)]);
  for (const id of reached) for (const edge of plan.graph.edges) if (edge.from === id) reached.add(edge.to);
  return reached;
}

/** Nodes whose outcome is taken over: they came to one, the plan still has them, and they are still the same kind of step. */
async function recorded(
  tx: Transaction,
  companyId: string,
  run: ClosedRun,
  { plan, former }: Target,
  again: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('steps')
    .select('node_id')
    .distinct()
    .where('company_id', '=', companyId)
    .where('run_id', '=', run.id)
    .where('node_id', '<>', run.trigger_node_id)
    // A failure that its flow took care of is an outcome too.
    .where((eb) =>
      eb.or([eb('status', '=', 'succeeded'), eb.and([eb('status', '=', 'failed'), eb('port', '=', 'error')])]),
    )
    .execute();
  const ids = rows.map(({ node_id }) => node_id);
  const same = new Set(ids.filter((id) => !again.has(id) && isSameKind(plan.steps[id], former[id])));
  // Of a scope that did not come to its end, what was done may be undone.
  const regions = regionsOf(plan.graph);
  return new Set(
    [...same].filter((id) => regions.around(id).every((around) => !regions.isScope(around) || same.has(around))),
  );
}

function describe(
  { info }: Services,
  { number, plan, former }: Target,
  triggerNodeId: string,
  carried: ReadonlySet<string>,
): Rerun {
  const steps = plan.graph.nodes
    .filter(({ id, kind, disabled }) => id !== triggerNodeId && kind !== 'trigger' && !disabled)
    .map(({ id }) => ({ nodeId: id, name: plan.steps[id]?.name ?? id }));
  const writes = (nodeId: string): boolean => {
    const step = plan.steps[nodeId];
    const effect = step && findNodeType(info, step.type, step.version)?.effect;
    return effect === 'create' || effect === 'upsert';
  };
  return {
    runId: null,
    version: number,
    carried: steps
      .filter(({ nodeId }) => carried.has(nodeId))
      .map((step) => ({ ...step, changed: !isSame(plan.steps[step.nodeId], former[step.nodeId]) })),
    gone: Object.entries(former)
      .filter(([nodeId]) => !plan.steps[nodeId])
      .map(([nodeId, { name }]) => ({ nodeId, name })),
    again: steps
      .filter(({ nodeId }) => !carried.has(nodeId))
      .map((step) => ({
        ...step,
        since: !former[step.nodeId] ? 'new' : isSame(plan.steps[step.nodeId], former[step.nodeId]) ? 'same' : 'changed',
        writes: writes(step.nodeId),
      })),
  };
}

function isSame(a: PlanStep | undefined, b: PlanStep | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

function isSameKind(a: PlanStep | undefined, b: PlanStep | undefined): boolean {
  return a !== undefined && b !== undefined && a.type === b.type && a.version === b.version;
}

/** Writes the new run with everything it begins with. */
async function write(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly run: ClosedRun;
    readonly target: Target;
    readonly carried: ReadonlySet<string>;
    readonly request: RerunRequest;
    readonly now: Date;
  },
): Promise<{ readonly runId: string; readonly carrierId: string }> {
  const { companyId, run, target, carried, request, now } = work;
  const [runId, carrierId] = [randomUUID(), randomUUID()];
  const eventId = request.input ? await writeEvent(tx, work, runId, request.input) : run.event_id;
  const written = await tx
    .insertInto('runs')
    .values({
      id: runId,
      company_id: companyId,
      flow_id: run.flow_id,
      flow_version: target.number,
      plan_hash: target.hash,
      event_id: eventId,
      rerun_of: run.id,
      rerun_from: request.from ?? null,
      trigger_node_id: run.trigger_node_id,
      carrier_id: carrierId,
      lane: 0,
      status: 'queued',
      error: null,
      queued_at: now,
      confirmed_at: null,
      started_at: null,
      finished_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!written)
    throw new ApiError('invalid_transition', 'This run is being run again already.', {
      fix: 'Open that run and let it end first.',
    });
  await sql`
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, input, output, error, started_at, finished_at, carried)
    select company_id, ${runId}, node_id, iteration, status, attempt, port, input,
           case when node_id = ${run.trigger_node_id} then coalesce(${request.input ? json(request.input) : null}::jsonb, output) else output end,
           error, ${now}, ${now}, node_id <> ${run.trigger_node_id}
      from steps
     where company_id = ${companyId} and run_id = ${run.id}
       and node_id = any(${[run.trigger_node_id, ...carried]}::text[]) and status in ('succeeded', 'failed')`.execute(
    tx,
  );
  const again = Object.keys(target.plan.steps).filter(
    (id) => !carried.has(id) && isSameKind(target.plan.steps[id], target.former[id]),
  );
  await carryUnsettled(tx, { companyId, from: run.id, to: runId, nodeIds: again, now });
  return { runId, carrierId };
}

/** What somebody put in place of what happened is something that happened too: the run is about that. */
async function writeEvent(
  tx: Transaction,
  { companyId, run, now }: { readonly companyId: string; readonly run: ClosedRun; readonly now: Date },
  runId: string,
  data: Readonly<Record<string, unknown>>,
): Promise<string> {
  const former = run.event_id
    ? await tx
        .selectFrom('events')
        .select(['kind', 'key', 'subject_entity', 'subject_id'])
        .where('company_id', '=', companyId)
        .where('id', '=', run.event_id)
        .executeTakeFirst()
    : undefined;
  const record = data['record'] as { readonly id?: unknown } | null | undefined;
  const about = former?.subject_id != null && z.uuid().safeParse(record?.id).success ? String(record?.id) : null;
  const { id } = await tx
    .insertInto('events')
    .values({
      company_id: companyId,
      kind: former?.kind ?? 'manual',
      key: former?.key ?? run.flow_id,
      dedupe_key: `again:${runId}`,
      subject_entity: about ? (former?.subject_entity ?? null) : null,
      subject_id: about,
      data: json(data),
      status: 'dispatched',
      reason: null,
      dispatched_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
