import type { Transaction } from '@plumbline/db';
import type { ApprovalQuestion } from '@plumbline/nodes';
import type { StepRef } from '../activities/contract.ts';
import { canonicalJson } from '../flow/canonical.ts';

/** Those whom one stage of a question is put to. */
export interface AskedStage {
  readonly title: string;
  readonly from: string;
  readonly need: number;
  readonly asked: readonly { readonly email: string }[];
}

/** What people decided. */
export interface Decided {
  readonly approvalId: string;
  readonly answer: Readonly<Record<string, unknown>>;
}

/**
 * What people decided in the try before, where a scope is tried again and asks the very same: of the same people, about the same, with the same to fill in. A
 * decision is not asked for twice because something after it failed; undefined when there is none, or anything is another.
 */
export async function decidedBefore(
  tx: Transaction,
  { companyId, runId, nodeId }: StepRef,
  formerTry: string,
  question: ApprovalQuestion,
  stages: readonly AskedStage[],
): Promise<Decided | undefined> {
  const former = await tx
    .selectFrom('waits')
    .innerJoin('approvals', (join) =>
      join
        .onRef('approvals.company_id', '=', 'waits.company_id')
        .on((eb) => eb(eb.cast<string>('approvals.id', 'text'), '=', eb.ref('waits.key'))),
    )
    .select(['approvals.id', 'waits.answer', 'title', 'body', 'facts', 'amount', 'form', 'outcomes'])
    .select(['record_entity', 'record_id'])
    .where('waits.company_id', '=', companyId)
    .where('waits.run_id', '=', runId)
    .where('waits.node_id', '=', nodeId)
    .where('waits.iteration', '=', formerTry)
    .where('waits.kind', '=', 'approval')
    .where('waits.answered_at', 'is not', null)
    .where('approvals.run_id', '=', runId)
    .where('approvals.status', '=', 'decided')
    .executeTakeFirst();
  if (!former?.answer) return undefined;
  const put = {
    ...{ title: former.title, body: former.body, facts: former.facts, form: former.form, outcomes: former.outcomes },
    ...{ amount: numberOf(former.amount), entity: former.record_entity, id: former.record_id },
  };
  const isPut = {
    ...{ title: question.title, body: question.text, facts: question.facts, form: question.form },
    ...{ outcomes: question.outcomes, amount: numberOf(question.amount) },
    ...{ entity: question.record?.entity ?? null, id: question.record?.id ?? null },
  };
  if (canonicalJson(put) !== canonicalJson(isPut)) return undefined;
  const rows = await tx
    .selectFrom('approval_stages as stages')
    .leftJoin('approval_seats as seats', (join) =>
      join
        .onRef('seats.company_id', '=', 'stages.company_id')
        .onRef('seats.approval_id', '=', 'stages.approval_id')
        .onRef('seats.stage', '=', 'stages.number')
        .on('seats.way', '=', 'asked'),
    )
    .select(['stages.number', 'stages.title', 'stages.from_amount', 'stages.need', 'seats.email'])
    .where('stages.company_id', '=', companyId)
    .where('stages.approval_id', '=', former.id)
    .execute();
  const lines = rows.map(({ number, title, from_amount: from, need, email }) => [number, title, +from, need, email]);
  const asked = stages.flatMap(({ title, from, need, asked }, index) =>
    asked.map(({ email }) => [index + 1, title, +from, need, email]),
  );
  if (asText(lines) !== asText(asked)) return undefined;
  return { approvalId: former.id, answer: former.answer as Record<string, unknown> };
}

function numberOf(amount: string | null | undefined): number | null {
  return amount === null || amount === undefined ? null : Number(amount);
}

function asText(lines: readonly (readonly unknown[])[]): string {
  return lines
    .map((line) => canonicalJson(line))
    .sort()
    .join('\n');
}
