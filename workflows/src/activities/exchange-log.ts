import { json, type Transaction } from '@plumbline/db';
import type { NodeType } from '@plumbline/nodes';
import type { PlanStep } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import type { RunRef } from './contract.ts';
import type { Lane } from './lane.ts';

/** What the hub and the record's page show: one line per exchange, and the link between the record and the vendor's object. */
export async function recordExchange(
  tx: Transaction,
  done: {
    readonly input: RunRef;
    readonly step: PlanStep;
    readonly type: NodeType;
    readonly subject: Lane['subject'];
    readonly output: unknown;
    readonly now: Date;
  },
): Promise<void> {
  const { input, step, type, subject, output, now } = done;
  const { companyId } = input;
  if (!step.connectionId || !(await holdConnection(tx, companyId, step.connectionId))) return;
  const remote = type.remote?.read(output);
  await tx
    .insertInto('integration_logs')
    .values({
      company_id: companyId,
      integration_id: step.connectionId,
      action: type.id,
      direction: type.effect === 'read' ? 'import' : 'export',
      entity_type: type.remote?.type ?? entityOf(type.id),
      entity_count: 1,
      status: 'succeeded',
      external_id: remote?.id ?? null,
      run_id: input.runId,
      error_details: null,
    })
    .execute();
  await tx
    .updateTable('integrations')
    .set({ last_sync_at: now, error_message: null, updated_at: now })
    .where('company_id', '=', companyId)
    .where('id', '=', step.connectionId)
    .execute();
  if (!remote || !type.remote || subject?.entity !== type.remote.entity) return;
  await tx
    .insertInto('links')
    .values({
      company_id: companyId,
      entity: subject.entity,
      record_id: subject.id,
      integration_id: step.connectionId,
      remote_type: type.remote.type,
      remote_id: remote.id,
      remote_version: remote.version ?? null,
      base: null,
      state: 'linked',
    })
    .onConflict((conflict) =>
      conflict
        .columns(['company_id', 'integration_id', 'remote_type', 'remote_id'])
        .doUpdateSet({ remote_version: remote.version ?? null, updated_at: now }),
    )
    .execute();
}

/** The same line for an exchange that did not succeed. */
export async function logFailure(tx: Transaction, input: RunRef, step: PlanStep, failure: StepFailure): Promise<void> {
  const { companyId, runId } = input;
  if (!step.connectionId || !(await holdConnection(tx, companyId, step.connectionId))) return;
  await tx
    .insertInto('integration_logs')
    .values({
      company_id: companyId,
      integration_id: step.connectionId,
      action: step.type,
      direction: 'export',
      entity_type: entityOf(step.type),
      entity_count: 0,
      status: 'failed',
      external_id: null,
      run_id: runId,
      error_details: json(failure),
    })
    .execute();
}

/** Whether the connection is still there; it then stays until the transaction ends. It may be removed while a step works with it. */
async function holdConnection(tx: Transaction, companyId: string, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom('integrations')
    .select('id')
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** `quickbooks.create-bill` → `bill`. */
function entityOf(typeId: string): string {
  return typeId.split('.')[1]?.replace(/^(create|update|find|ensure|list|send)-/, '') ?? typeId;
}
