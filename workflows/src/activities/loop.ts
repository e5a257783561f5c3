import type { Transaction } from '@plumbline/db';
import type { PlanNode, PlanStep } from '../flow/plan.ts';
import { regionsOf, type Regions } from '../flow/regions.ts';
import type { StepFailure } from '../step-failure.ts';
import { stepKey } from '../step-key.ts';
import type { CarriedRun, RegionEnd } from './carry-run.ts';
import { StepError } from './classify.ts';
import { giveUpWithin, hasOpen } from './give-up.ts';
import { inside, stepName, type Lane, type Scope, type Turn } from './lane.ts';
import type { LedgerWrite } from './ledger-writer.ts';
import { LoopLedger, type LoopSettings, type PendingTurn } from './loop-ledger.ts';
import { isIn, type Part } from './part.ts';
import type { StepOutcome } from './run-step.ts';
import { tooLarge } from './storable.ts';
import { LOCK } from '../flow/special-types.ts';

export type LoopEnd =
  /** Some of its turns wait, or their time in this call is over. */
  { readonly kind: 'paused' } | StepOutcome;

/** Turns that are read at once. */
const PAGE = 500;

/**
 * Carries a loop that is open on: the turns that are under way first, then the next ones, so many at once. Every turn is interpreted on its own and closed in
 * the ledger when it is over, so the next call reads only what is not; a list of any length costs no more to take up than its turns under way.
 */
export async function carryLoop(
  run: CarriedRun,
  node: PlanNode,
  step: PlanStep,
  scope: Scope,
  opened?: LoopSettings,
): Promise<LoopEnd> {
  const { companyId, lane } = run.work;
  const ledger = new LoopLedger(run.deps.store, {
    companyId,
    runId: lane.runId,
    nodeId: node.id,
    iteration: scope.iteration,
  });
  const settings = opened ?? (await ledger.settings());
  const loop: OpenLoop = { run, node, step, scope, ledger, settings, opened: opened !== undefined };
  const over = loop.opened ? undefined : await wasOver(loop);
  const turned = over ?? (node.control === 'while' ? await repeat(loop) : await forEach(loop));
  if (turned.kind === 'paused' || run.isUndone) return { kind: 'paused' };
  return await close(loop, turned);
}

interface OpenLoop {
  readonly run: CarriedRun;
  readonly node: PlanNode;
  readonly step: PlanStep;
  readonly scope: Scope;
  readonly ledger: LoopLedger;
  readonly settings: LoopSettings;
  /** Whether it was opened in this call, so that none of its turns has begun. */
  readonly opened: boolean;
}

type Turned =
  | { readonly kind: 'paused' }
  /** All turns are over, but for those that will not be done. */
  | { readonly kind: 'over'; readonly failure?: StepFailure; readonly left?: boolean };

/** Whether a turn that is closed ended the loop, and whoever carried it on then did not come to say so. */
async function wasOver(loop: OpenLoop): Promise<Turned | undefined> {
  const { run, node, ledger, settings } = loop;
  const leaving = regionsOf(run.work.plan.graph)
    .inside(node.id)
    .nodes.filter(({ control }) => control === 'break' || control === 'scope')
    .map(({ id }) => id);
  if (leaving.length > 0 && (await ledger.wasLeftAt(leaving))) return { kind: 'over', left: true };
  const failed = node.control === 'while' || settings.onItemError === 'stop' ? await ledger.failed() : undefined;
  return failed && { kind: 'over', failure: itemFailed(loop, failed.index, failed.error) };
}

/** The turns of a list. */
async function forEach(loop: OpenLoop): Promise<Turned> {
  const { run, ledger, settings } = loop;
  const begun = loop.opened ? [] : turnsUnderWay(loop);
  const queue: PendingTurn[] = begun.length > 0 ? await ledger.pending({ indexes: begun }) : [];
  const known = new Set(begun);
  let after = -1;
  let more = true;
  let paused = 0;
  let failure: StepFailure | undefined;
  let left = false;
  let broken: { readonly error: unknown } | undefined;
  const running = new Set<Promise<void>>();

  const next = async (): Promise<PendingTurn | undefined> => {
    while (queue.length === 0 && more) {
      const page = await ledger.pending({ after, limit: PAGE });
      more = page.length === PAGE;
      after = page.at(-1)?.index ?? after;
      queue.push(...page.filter(({ index }) => !known.has(index)));
    }
    return queue.shift();
  };
  const isAllowed = (): boolean =>
    !left && !failure && !broken && !run.isUndone && running.size + paused < settings.concurrency;

  for (;;) {
    while (isAllowed()) {
      if (run.isOver) {
        // Whether anything is left to begin shows when it is carried on again.
        if (queue.length > 0 || more) {
          run.waitUntil(run.deps.now().getTime());
          paused++;
        }
        break;
      }
      const turn = await next().catch((error: unknown) => {
        broken ??= { error };
        return undefined;
      });
      if (!turn) break;
      const task: Promise<void> = take(loop, turn.index, { count: settings.count, item: turn.item })
        .then((end) => {
          if (end.kind === 'paused') paused++;
          else if (end.kind === 'left') left = true;
          else if (end.failure && settings.onItemError === 'stop')
            failure ??= itemFailed(loop, turn.index, end.failure);
        })
        .catch((error: unknown) => {
          broken ??= { error };
        })
        .finally(() => running.delete(task));
      running.add(task);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  // Thrown once the turns under way have come to rest: nothing goes on behind the back of whoever tries again.
  if (broken) throw broken.error;
  if (left || failure) return { kind: 'over', left, ...(failure ? { failure } : {}) };
  return paused > 0 ? { kind: 'paused' } : { kind: 'over' };
}

/** Rounds, as long as the condition holds. */
async function repeat(loop: OpenLoop): Promise<Turned> {
  const { run, node, step, scope, ledger, settings } = loop;
  const { lane, companyId } = run.work;
  const last = loop.opened ? undefined : await ledger.latest();
  let index = last ? (last.pending ? last.index : last.index + 1) : 0;
  let pending = last?.pending ?? false;
  let value = last?.value;
  for (;;) {
    if (run.isOver) {
      run.waitUntil(run.deps.now().getTime());
      return { kind: 'paused' };
    }
    if (!pending) {
      const turns: readonly Turn[] = [...scope.turns, turnOf(node, index, { value })];
      const key = stepKey({ companyId, runId: lane.runId, nodeId: node.id, iteration: `${scope.iteration}/${index}` });
      try {
        const { condition } = await run.runner.mapStep(
          { companyId },
          step,
          lane,
          { iteration: scope.iteration, turns },
          key,
        );
        if (condition !== true) return { kind: 'over' };
      } catch (error) {
        if (!(error instanceof StepError)) throw error;
        return { kind: 'over', failure: error.failure };
      }
      if (index >= settings.limit) return { kind: 'over', failure: tooManyRounds(step, settings.limit) };
      await ledger.add(lane, index);
    }
    const end = await take(loop, index, { value });
    if (end.kind === 'paused') return end;
    if (end.kind === 'left') return { kind: 'over', left: true };
    if (end.failure) return { kind: 'over', failure: itemFailed(loop, index, end.failure) };
    ({ value } = end);
    pending = false;
    index++;
  }
}

type TurnOutcome =
  | { readonly kind: 'paused' }
  /** It left the whole loop. */
  | { readonly kind: 'left' }
  | { readonly kind: 'over'; readonly value: unknown; readonly failure: StepFailure | undefined };

/** One turn, as far as it goes. */
async function take(loop: OpenLoop, index: number, given: Omit<Turn, 'loopId' | 'index'>): Promise<TurnOutcome> {
  const { run, node, scope } = loop;
  const { lane, plan } = run.work;
  const iteration = inside(scope.iteration, index);
  const end = await run.region(node, { iteration, turns: [...scope.turns, turnOf(node, index, given)] });
  // A turn whose failure undoes the run stays open, so that whoever takes it up sees that.
  if ((!end.left && end.paused) || (end.failure && run.isUndone)) return { kind: 'paused' };
  run.deps.crashPoint?.('mid-loop', node.id);
  const value = valueOf(end);
  const regions = regionsOf(plan.graph);
  const nodes = regions.inside(node.id).nodes.map(({ id }) => id);
  const hasScopes = nodes.some((id) => regions.isScope(id));
  const givesUp =
    end.left !== undefined &&
    !isKept(loop, end) &&
    (end.paused || hasOpen(lane, nodes, iteration) || (end.failure !== undefined && takesLocks(loop)));
  const part: Part = { nodes: hasScopes || givesUp ? regions.within(node.id) : nodes, iteration };
  lane.note({
    turn: {
      ...{ runId: lane.runId, nodeId: node.id, parent: scope.iteration, index, iteration, at: run.deps.now(), nodes },
      ...(end.failure ? { status: 'failed', error: end.failure } : { status: 'done', value }),
    },
    ...tidying(run, part, { givesUp, closes: hasScopes }),
  });
  if (run.deps.crashPoint) {
    await lane.commit({});
    run.deps.crashPoint('after-turn-closed', node.id);
  }
  // Nobody reads what a turn did once it is over, and a long list must not fill the memory.
  for (const id of nodes) lane.outputs.delete(stepName(id, iteration));
  if (hasScopes) forget(lane, part);
  if (end.left?.how === 'break') return { kind: 'left' };
  // The ledger knows no difference between nothing and null, so there is none for the next round either, whether it waits in between or not.
  return { kind: 'over', value: value ?? undefined, failure: end.failure };
}

/** Whether a step in a loop, or in scopes in there, ends its turns. */
function endsTurns(regions: Regions, containerId: string): boolean {
  return regions
    .inside(containerId)
    .nodes.some(
      ({ id, control }) => control === 'next' || control === 'break' || (control === 'scope' && endsTurns(regions, id)),
    );
}

/** Whether a turn may hold something that others wait for: one that failed did not come to letting it go. */
function takesLocks({ run, node }: OpenLoop): boolean {
  const { plan } = run.work;
  return regionsOf(plan.graph)
    .within(node.id)
    .some((id) => plan.steps[id]?.type === LOCK);
}

/** Whether a turn that failed is done again when a person says so: what waits in it then goes on where it stands. */
function isKept({ node, settings }: OpenLoop, { failure }: RegionEnd): boolean {
  return (
    failure !== undefined && node.onError === 'park' && (node.control === 'while' || settings.onItemError === 'stop')
  );
}

/** With a turn that ended before its end what waits in it is given up, and the steps of its scopes are closed with it. */
function tidying(
  { deps, work }: CarriedRun,
  part: Part,
  { givesUp, closes }: { readonly givesUp: boolean; readonly closes: boolean },
): Pick<LedgerWrite, 'also'> {
  const { companyId, lane } = work;
  if (!givesUp && !closes) return {};
  const write = async (tx: Transaction): Promise<void> => {
    if (givesUp) await giveUpWithin(tx, { companyId, runId: lane.runId }, part, deps.now());
    if (closes)
      await tx
        .updateTable('steps')
        .set({ closed: true })
        .where('company_id', '=', companyId)
        .where('run_id', '=', lane.runId)
        .where('closed', '=', false)
        .where(isIn(part))
        .execute();
  };
  return { also: { order: '', write } };
}

function forget(lane: Lane, { nodes, iteration }: Part): void {
  const deep = new Set(nodes);
  for (const known of [lane.outputs, lane.tries])
    for (const name of known.keys()) {
      const [id = '', place = ''] = name.split(' ');
      if (deep.has(id) && (place === iteration || place.startsWith(`${iteration}.`))) known.delete(name);
    }
}

function turnOf(node: PlanNode, index: number, given: Omit<Turn, 'loopId' | 'index'>): Turn {
  return { loopId: node.id, index, ...given };
}

function valueOf({ left }: RegionEnd): unknown {
  return left?.how === 'next' || left?.how === 'break' ? left.value : null;
}

/** Writes what became of the loop. */
async function close(loop: OpenLoop, { failure, left = false }: Extract<Turned, { kind: 'over' }>): Promise<LoopEnd> {
  const { run, node, step, scope, ledger, settings } = loop;
  const { lane, plan } = run.work;
  const startedAt = run.deps.now();
  await lane.commit({});
  const attempt = run.attemptOf(node, scope, 1);
  // What a loop that waits for a person has not done may still be done.
  if (!failure || node.onError !== 'park')
    await ledger.skipRest(run.deps.now(), left || failure ? regionsOf(plan.graph).within(node.id) : []);
  const fail = (error: StepError) => run.runner.recordFailure({ input: attempt, step, lane, startedAt, error });
  if (failure) return fail(new StepError(failure));
  const handsOn = endsTurns(regionsOf(plan.graph), node.id);
  const summary = await ledger.summary(handsOn);
  if (!summary) return fail(tooLarge(step.name, 'output'));
  const output =
    node.control === 'while'
      ? { count: summary.count, value: summary.values.at(-1) ?? null, values: summary.values }
      : { ...summary, errors: settings.onItemError === 'collect' ? summary.errors : [] };
  lane.note({
    end: {
      ...{ runId: lane.runId, nodeId: node.id, iteration: scope.iteration, attempt: 1, startedAt, at: run.deps.now() },
      ...{ status: 'succeeded', port: 'out', output },
    },
  });
  lane.outputs.set(stepName(node.id, scope.iteration), output);
  return { kind: 'done', port: 'out' };
}

/** Turns whose steps were under way when the run was taken up. */
function turnsUnderWay({ run, node, scope }: OpenLoop): number[] {
  const { lane, plan } = run.work;
  const inside = new Set(regionsOf(plan.graph).within(node.id));
  const depth = scope.iteration === '' ? 0 : scope.iteration.split('.').length;
  const indexes = new Set<number>();
  for (const name of lane.steps.keys()) {
    const [nodeId = '', iteration = ''] = name.split(' ');
    const parts = iteration.split('.');
    if (inside.has(nodeId) && parts.length > depth && parts.slice(0, depth).join('.') === scope.iteration)
      indexes.add(Number(parts[depth]));
  }
  return [...indexes].sort((a, b) => a - b);
}

function itemFailed({ step, node }: OpenLoop, index: number, failure: StepFailure): StepFailure {
  return {
    ...failure,
    kind: 'invalid',
    code: 'item_failed',
    message: `${node.control === 'while' ? 'Round' : 'Item'} ${index + 1} of "${step.name}" failed: ${failure.message}`,
  };
}

function tooManyRounds(step: PlanStep, limit: number): StepFailure {
  return {
    kind: 'invalid',
    code: 'loop_limit',
    message: `"${step.name}" went round ${limit} times and its condition still holds.`,
    fix: 'Correct the condition, or raise "Most rounds" in its settings, up to 10000; then publish and run it again.',
  };
}
