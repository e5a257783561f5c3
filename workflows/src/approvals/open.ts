import { randomUUID } from 'node:crypto';
import { json } from '@plumbline/db';
import { ConnectorFailure, type ApprovalQuestion } from '@plumbline/nodes';
import type { Dependencies } from '../activities/dependencies.ts';
import type { StepRef } from '../activities/contract.ts';
import { whileOpen } from '../activities/run-open.ts';
import { insertWait } from '../activities/waits.ts';
import { beginStage } from './begin-stage.ts';
import { decidedBefore } from './decided-before.ts';
import { endApproval } from './end.ts';
import { needOf } from './judge.ts';
import { companyPeople, whoIsMeant } from './people.ts';
import { lockApproval, type ApprovalSettings } from './row.ts';
import { timesOf } from './times.ts';

/**
 * Puts a step's question to people, once: the question, who is asked in every stage, and the wait are written together. Carried out again, it changes
 * nothing. What was decided about the very same in a try before is not asked again.
 * @throws ConnectorFailure `invalid` when nobody, or somebody who may not decide, is named, or fewer than must approve.
 */
export async function openApproval(
  deps: Dependencies,
  step: StepRef & { readonly formerTry?: string },
  question: ApprovalQuestion,
): Promise<void> {
  const { companyId, runId, nodeId, iteration } = step;
  await whileOpen(deps.store, step, async (tx) => {
    const id = randomUUID();
    if (!(await insertWait(tx, step, { kind: 'approval', key: id }))) return;
    const people = await companyPeople(tx);
    const stages = question.stages.map((stage, index) => {
      const name = stage.title || (question.stages.length > 1 ? `stage ${index + 1}` : 'this approval');
      const { asked, problem } = whoIsMeant(stage.approvers, people);
      if (problem) throw refuse(problem.code, `${name}: ${problem.message}`);
      const need = needOf(stage.need, stage.count, asked.length);
      if (need === undefined)
        throw refuse(
          'too_few_approvers',
          `${name}: ${stage.count ?? 0} must approve and only ${asked.length} can be asked. Ask for fewer, or name more.`,
        );
      return { ...stage, asked, need };
    });
    const now = deps.now();
    const before =
      step.formerTry === undefined ? undefined : await decidedBefore(tx, step, step.formerTry, question, stages);
    if (before) {
      await tx
        .updateTable('waits')
        .set({ key: before.approvalId, answer: json(before.answer), answered_at: now })
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .execute();
      return;
    }
    const settings: ApprovalSettings = {
      remindEveryHours: question.remindEveryHours,
      escalateAfterHours: question.escalateAfterHours,
      escalateTo: question.escalateTo,
      expiresAfterHours: question.expiresAfterHours,
      comment: question.comment,
      ...(question.stages.some(({ times }) => times)
        ? { stages: question.stages.map(({ times }) => times ?? {}) }
        : {}),
    };
    // Stages count from 1; 0 stands for all of it.
    for (let number = 0; number <= stages.length; number++) {
      const { escalateAfterHours, escalateTo } = timesOf(settings, number);
      if (escalateAfterHours <= 0 || escalateTo.trim() === '') continue;
      const { problem } = whoIsMeant(escalateTo, people);
      if (problem) throw refuse(problem.code, `Whom to ask then: ${problem.message}`);
    }
    await tx
      .insertInto('approvals')
      .values({
        ...{ id, company_id: companyId, run_id: runId, node_id: nodeId, iteration },
        title: question.title,
        body: question.text,
        facts: json(question.facts),
        record_entity: question.record?.entity ?? null,
        record_id: question.record?.id ?? null,
        amount: question.amount ?? null,
        form: json(question.form),
        outcomes: json(question.outcomes),
        settings: json(settings),
        ...{ status: 'open', outcome: null, stage: 0, remind_at: null, escalate_at: null, closed_at: null },
        expires_at: null,
        opened_at: now,
      })
      .execute();
    for (const [index, stage] of stages.entries()) {
      const number = index + 1;
      await tx
        .insertInto('approval_stages')
        .values({
          ...{ company_id: companyId, approval_id: id, number, title: stage.title, from_amount: stage.from },
          ...{ need: stage.need, status: 'ahead', began_at: null, ended_at: null },
        })
        .execute();
      // One by one: their numbers tell their order.
      for (const { userId, email, name } of stage.asked)
        await tx
          .insertInto('approval_seats')
          .values({
            ...{ company_id: companyId, approval_id: id, stage: number, user_id: userId, email, name },
            ...{ status: 'ahead', way: 'asked', handed_by: null },
          })
          .execute();
    }
    const approval = await lockApproval(tx, companyId, id);
    if (stages.length > 0) await beginStage(tx, approval, 1, now);
    else await endApproval(tx, approval, { status: 'decided', outcome: 'approved', at: now });
  });
}

function refuse(code: string, message: string): ConnectorFailure {
  return new ConnectorFailure({ kind: 'invalid', code, message: message.charAt(0).toUpperCase() + message.slice(1) });
}
