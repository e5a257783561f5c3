import type { Transaction } from '@plumbline/db';
import { waitingWords } from '@plumbline/workflows/approvals/waiting-words';

/** For whom open approvals wait, in words, by approval. */
export async function waitingFor(
  tx: Transaction,
  companyId: string,
  approvalIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (approvalIds.length === 0) return new Map();
  const stages = await tx
    .selectFrom('approval_stages')
    .select(['approval_id', 'number', 'need'])
    .where('company_id', '=', companyId)
    .where('approval_id', 'in', approvalIds)
    .where('status', 'in', ['open', 'ahead'])
    .orderBy('number')
    .execute();
  const seats = await tx
    .selectFrom('approval_seats')
    .select(['approval_id', 'stage', 'name', 'status'])
    .where('company_id', '=', companyId)
    .where('approval_id', 'in', approvalIds)
    .orderBy('number')
    .execute();
  return new Map(
    approvalIds.map((id) => [
      id,
      waitingWords(
        stages
          .filter((stage) => stage.approval_id === id)
          .map(({ number, need }) => {
            const own = seats.filter((seat) => seat.approval_id === id && seat.stage === number);
            return {
              need,
              approved: own.filter(({ status }) => status === 'decided').length,
              open: own.filter(({ status }) => status === 'open' || status === 'ahead').map(({ name }) => name),
            };
          }),
      ),
    ]),
  );
}
