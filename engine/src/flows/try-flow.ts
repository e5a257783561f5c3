import { randomUUID } from 'node:crypto';
import { json, literal, type Transaction } from '@plumbline/db';
import { QUEUED_CHANNEL } from '@plumbline/workflows/go-ahead';
import {
  compile,
  containersAround,
  findNodeType,
  isLoop,
  outputSchema,
  partUpTo,
  planOfOne,
  sampleOf,
  typeOfStep,
  type CatalogInfo,
  type FlowDocument,
  type Plan,
  type TestRun,
} from '@plumbline/workflows/flow';
import { planHash } from '@plumbline/workflows/plan-hash';
import { sql } from 'kysely';
import type { TestRequest } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import type { QueuedRun } from '../dispatch/claim.ts';
import { companyCatalog } from './company-catalog.ts';

/** Version number of runs that try a draft out: there is none. */
export const DRAFT = 0;

/**
 * Queues a run that tries a drawing out: one step alone, everything up to a step, or all of it. Steps that come before one that is tried alone are not
 * carried out; what they hand on is what was given, what is pinned, what the last run recorded, or else made up, in this order.
 * @throws ApiError `flow_invalid` when what is tried is not complete; `invalid_input` for a step that is none.
 */
export async function tryFlow(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: FlowDocument;
    readonly request: TestRequest;
    readonly info: CatalogInfo;
    readonly now: Date;
  },
): Promise<QueuedRun> {
  const { companyId, flowId, document, request, now } = work;
  const info = await companyCatalog(tx, work);
  const target = request.only ?? request.upTo;
  const triggerNodeId = triggerOf(document, info, request.trigger?.nodeId);
  if (target !== undefined && (!document.nodes[target] || target === triggerNodeId))
    throw new ApiError('invalid_input', `There is no step "${target}" in this flow that could be tried.`, {
      path: request.only === undefined ? 'upTo' : 'only',
      fix: 'Choose one of its steps.',
    });
  const part = target === undefined ? document : partUpTo(document, target);
  const plan = compiled(part, info);
  const pins = await readPins(tx, companyId, flowId);
  const given = request.only === undefined ? undefined : await givenOutputs(tx, { ...work, info, part, plan, pins });
  const whole = request.only === undefined ? plan : planOfOne(plan, triggerNodeId, request.only);
  const hash = planHash(whole);
  const test: TestRun = {
    document,
    pins,
    ...(request.only === undefined
      ? {}
      : { only: request.only, turns: turnsAround(document, info, request.only, request.item) }),
  };
  const [runId, carrierId] = [randomUUID(), randomUUID()];
  await tx
    .insertInto('plans')
    .values({ company_id: companyId, hash, plan: json(whole) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tx
    .insertInto('runs')
    .values({
      id: runId,
      company_id: companyId,
      flow_id: flowId,
      flow_version: DRAFT,
      plan_hash: hash,
      event_id: null,
      trigger_node_id: triggerNodeId,
      carrier_id: carrierId,
      lane: 0,
      status: 'queued',
      error: null,
      queued_at: now,
      confirmed_at: null,
      started_at: null,
      finished_at: null,
      test: json(test),
    })
    .execute();
  const outputs = new Map([
    [triggerNodeId, { port: 'out', output: triggerOutput(work, triggerNodeId, pins) }],
    ...(given ?? []),
  ]);
  await tx
    .insertInto('steps')
    .values(
      [...outputs].map(([nodeId, { port, output }]) => ({
        company_id: companyId,
        run_id: runId,
        node_id: nodeId,
        iteration: '',
        status: 'succeeded' as const,
        attempt: 1,
        port,
        input: null,
        output: json(output),
        error: null,
        next_attempt_at: null,
        started_at: now,
        finished_at: now,
        carried: nodeId !== triggerNodeId,
        simulated: nodeId !== triggerNodeId,
      })),
    )
    .execute();
  // Somebody waits for it: it does not wait for its carrier.
  const notice = json({ companyId, planHash: hash, runIds: [runId] });
  await sql.raw(`select pg_notify('${QUEUED_CHANNEL}', ${literal(notice)})`).execute(tx);
  return { companyId, runId, carrierId, planHash: hash };
}

function triggerOf(document: FlowDocument, info: CatalogInfo, wanted: string | undefined): string {
  const triggers = Object.entries(document.nodes)
    .filter(([, node]) => findNodeType(info, node.type, node.version)?.kind === 'trigger')
    .map(([id]) => id);
  const found = wanted === undefined ? triggers[0] : triggers.find((id) => id === wanted);
  if (found !== undefined) return found;
  throw new ApiError(
    'flow_invalid',
    wanted === undefined ? 'Nothing starts this flow.' : `"${wanted}" is no trigger of this flow.`,
    { fix: wanted === undefined ? 'Add a trigger.' : 'Choose one of its triggers.' },
  );
}

function compiled(document: FlowDocument, info: CatalogInfo): Plan {
  const { plan, findings } = compile(document, info);
  if (plan) return plan;
  const errors = findings.filter(({ severity }) => severity === 'error');
  throw new ApiError('flow_invalid', `This cannot be tried yet: ${errors[0]?.message ?? 'it is not complete.'}`, {
    fix: errors[0]?.fix ?? 'Look at the problems list.',
    findings: errors,
  });
}

async function readPins(tx: Transaction, companyId: string, flowId: string): Promise<TestRun['pins']> {
  const rows = await tx
    .selectFrom('flow_pins')
    .select(['node_id', 'port', 'output'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .execute();
  return Object.fromEntries(rows.map(({ node_id, port, output }) => [node_id, { port, output }]));
}

function triggerOutput(
  {
    document,
    request,
    info,
  }: { readonly document: FlowDocument; readonly request: TestRequest; readonly info: CatalogInfo },
  triggerNodeId: string,
  pins: TestRun['pins'],
): unknown {
  return request.trigger?.output ?? pins[triggerNodeId]?.output ?? madeUp(document, info, triggerNodeId);
}

function madeUp(document: FlowDocument, info: CatalogInfo, nodeId: string): unknown {
  const node = document.nodes[nodeId];
  const type = node && typeOfStep(info, node);
  return node && type ? sampleOf(outputSchema(node, type), nodeId) : {};
}

/** What the steps before one that is tried alone hand on. */
async function givenOutputs(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly request: TestRequest;
    readonly part: FlowDocument;
    readonly plan: Plan;
    readonly pins: TestRun['pins'];
    readonly info: CatalogInfo;
  },
): Promise<Map<string, { readonly port: string; readonly output: unknown }>> {
  const { companyId, flowId, request, part, plan, pins, info } = work;
  const before = plan.graph.nodes
    .filter(({ id, kind }) => id !== request.only && kind !== 'trigger')
    .map(({ id }) => id);
  const { rows: recorded } = await sql<{ node_id: string; port: string | null; output: unknown }>`
    select distinct on (steps.node_id) steps.node_id, steps.port, steps.output
      from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
     where runs.company_id = ${companyId} and runs.flow_id = ${flowId} and steps.node_id = any(${before}::text[])
       and steps.status = 'succeeded' and not steps.simulated
       and runs.id in (select id from runs where company_id = ${companyId} and flow_id = ${flowId} order by queued_at desc limit 50)
     order by steps.node_id, runs.queued_at desc, steps.iteration`.execute(tx);
  const last = new Map(recorded.map((row) => [row.node_id, { port: row.port ?? 'out', output: row.output }]));
  return new Map(
    before.map((id) => {
      const output = request.outputs?.[id];
      return [
        id,
        output === undefined
          ? (pins[id] ?? last.get(id) ?? { port: 'out', output: madeUp(part, info, id) })
          : { port: 'out', output },
      ];
    }),
  );
}

/** A first turn of each loop around a step that is tried alone; the innermost has the item that was given. */
function turnsAround(
  document: FlowDocument,
  info: CatalogInfo,
  nodeId: string,
  item: unknown,
): NonNullable<TestRun['turns']> {
  const loops = containersAround(document, nodeId).filter((id) => {
    const node = document.nodes[id];
    return node && isLoop(findNodeType(info, node.type, node.version));
  });
  return loops.map((loopId, depth) => ({
    loopId,
    index: 0,
    ...(depth === loops.length - 1 && item !== undefined ? { item, value: item } : {}),
  }));
}
