import type { Transaction } from '@plumbline/db';
import { cancelCalledIn } from './call-flow.ts';
import type { StepRef } from './contract.ts';
import { stepName, type Lane } from './lane.ts';
import { isIn, type Part } from './part.ts';
import { letGoIn } from './turns/lock.ts';
import { isNoUndo } from './undo-run.ts';
import { closeWait } from './waits.ts';

/** The turns of a loop that are not over will not be done; what waits in them is given up. */
export async function giveUpTurns(
  tx: Transaction,
  { companyId, runId, nodeId, iteration }: StepRef,
  inside: readonly string[],
  now: Date,
): Promise<void> {
  await tx
    .updateTable('iterations')
    .set({ status: 'skipped', finished_at: now })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('parent', '=', iteration)
    .where('status', '=', 'pending')
    .execute();
  await giveUpWithin(tx, { companyId, runId }, { nodes: inside, iteration }, now);
}

/**
 * Steps and turns in a part of a run that are not over are given up: nobody carries them on, what they wait for is taken back, nobody is asked any more, and
 * what they called ends. What the part holds others may have, unless `keepsLocks` says that it is gone on with where it stands. They are closed, for nothing
 * reads them again, unless what they stand in is tried again; then so are they. What undoes goes on.
 */
export async function giveUpWithin(
  tx: Transaction,
  { companyId, runId }: { readonly companyId: string; readonly runId: string },
  part: Part,
  now: Date,
  { keepsLocks = false }: { readonly keepsLocks?: boolean } = {},
): Promise<void> {
  if (part.nodes.length === 0) return;
  const open = await tx
    .selectFrom('steps')
    .select(['node_id', 'iteration'])
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('status', 'in', ['running', 'waiting', 'parked'])
    .where(isIn(part))
    .where(isNoUndo)
    .forUpdate()
    .execute();
  const places = open.map(({ node_id: nodeId, iteration }) => ({ nodeId, iteration }));
  for (const place of places) await closeWait(tx, { companyId, runId, ...place }, now);
  if (places.length > 0) await cancelCalledIn(tx, { companyId, runId }, now, places);
  if (!keepsLocks) await letGoIn(tx, { companyId, runId, within: part, now });
  await tx
    .updateTable('steps')
    .set({ status: 'failed', finished_at: now, next_attempt_at: null, suspended: false, closed: true })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('status', 'in', ['running', 'waiting', 'parked'])
    .where(isIn(part))
    .where(isNoUndo)
    .execute();
  await tx
    .updateTable('iterations')
    .set({ status: 'skipped', finished_at: now })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', 'in', part.nodes)
    .$if(part.iteration !== '', (query) =>
      query.where((eb) => eb.or([eb('parent', '=', part.iteration), eb('parent', 'like', `${part.iteration}.%`)])),
    )
    .where('status', '=', 'pending')
    .execute();
}

/** Whether some steps were under way at a place when the run was taken up; what stands in a container that is, is. */
export function hasOpen(lane: Lane, nodes: readonly string[], iteration: string): boolean {
  return nodes.some((id) => {
    const status = lane.steps.get(stepName(id, iteration))?.status;
    return status === 'running' || status === 'waiting' || status === 'parked';
  });
}
