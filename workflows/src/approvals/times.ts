import type { Transaction } from '@plumbline/db';
import type { StageTimes } from '@plumbline/nodes';
import { hoursAfter, type ApprovalRow, type ApprovalSettings } from './row.ts';

/** When a stage is to be reminded of, and who is to be asked then: its own times, else those of its approval. */
export function timesOf(settings: ApprovalSettings, number: number): Omit<Required<StageTimes>, 'expiresAfterHours'> {
  const { remindEveryHours, escalateAfterHours, escalateTo, stages } = settings;
  const own = stages?.[number - 1];
  return {
    remindEveryHours: own?.remindEveryHours ?? remindEveryHours,
    escalateAfterHours: own?.escalateAfterHours ?? escalateAfterHours,
    escalateTo: own?.escalateTo?.trim() ? own.escalateTo : escalateTo,
  };
}

/**
 * When a stage that begins now is given up. A limit of its own counts from now. That of the approval counts from its beginning, but stands still while a
 * stage with a limit of its own is asked. Null: never.
 */
export async function expiryOf(
  tx: Transaction,
  { id, company_id: companyId, settings }: ApprovalRow,
  { number, now }: { readonly number: number; readonly now: Date },
): Promise<Date | null> {
  const limitOf = (stage: number): number | undefined => settings.stages?.[stage - 1]?.expiresAfterHours;
  const own = limitOf(number);
  if (own !== undefined) return own > 0 ? hoursAfter(now, own) : null;
  const { expiresAfterHours = 0 } = settings;
  if (expiresAfterHours <= 0) return null;
  const before = await tx
    .selectFrom('approval_stages')
    .select(['number', 'began_at', 'ended_at'])
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('number', '<', number)
    .execute();
  const usedMs = before
    .filter((stage) => limitOf(stage.number) === undefined)
    .reduce(
      (sum, { began_at, ended_at }) => sum + (began_at ? (ended_at ?? now).getTime() - began_at.getTime() : 0),
      0,
    );
  return new Date(hoursAfter(now, expiresAfterHours).getTime() - usedMs);
}
