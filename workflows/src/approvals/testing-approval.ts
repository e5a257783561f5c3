import { randomUUID } from 'node:crypto';
import { node as asking } from '../../../nodes/core/approval.ts';
import type { ApprovalQuestion } from '@plumbline/nodes';
import type { Dependencies } from '../activities/dependencies.ts';
import type { Bench } from '../activities/testing.ts';
import { decide, type Decider, type GivenDecision } from './decide.ts';
import { openApproval } from './open.ts';
import { ApprovalRefusal } from './refusal.ts';

/** A run that has come to a step which asks, and the question it asks. */
export interface AskedRun {
  readonly runId: string;
  readonly approvalId: string;
}

/** The people of the bench's company, by first name. */
export async function hire(
  bench: Bench,
  people: Readonly<Record<string, 'owner' | 'admin' | 'builder' | 'viewer'>>,
  companyId = bench.companyId,
): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = {};
  for (const [name, role] of Object.entries(people)) {
    const id = randomUUID();
    ids[name] = id;
    await bench.database.asOwner('insert into auth.users (id, name, email) values ($1, $2, $3)', [
      id,
      name,
      `${name.toLowerCase()}@${companyId.slice(0, 8)}.example`,
    ]);
    await bench.database.asOwner('insert into auth.members ("organizationId", "userId", role) values ($1, $2, $3)', [
      companyId,
      id,
      role,
    ]);
  }
  return ids;
}

/** The address of somebody who was hired. */
export function addressOf(bench: Bench, name: string): string {
  return `${name.toLowerCase()}@${bench.companyId.slice(0, 8)}.example`;
}

/** Asks from a run of its own, as the node would with this input. */
export async function ask(
  bench: Bench,
  deps: Dependencies,
  input: Readonly<Record<string, unknown>>,
): Promise<AskedRun> {
  const attempt = (await bench.begin({}))('ask');
  const { companyId, runId } = attempt;
  await asking.hold?.open({
    input: asking.input.parse({ title: 'Pay INV-7?', remindEveryHours: 0, ...input }),
    platform: { ask: (question: ApprovalQuestion) => openApproval(deps, attempt, question) },
  } as never);
  const [row] = await bench.database.asOwner<{ id: string }>(
    'select id from approvals where company_id = $1 and run_id = $2',
    [companyId, runId],
  );
  return { runId, approvalId: row?.id ?? '' };
}

/** Decides as somebody, by their name or address. @returns the refusal's code, or `ok`. */
export async function decideAs(
  bench: Bench,
  deps: Dependencies,
  task: AskedRun,
  name: string,
  outcome: string,
  more: Partial<GivenDecision> = {},
): Promise<string> {
  const decider: Decider = {
    name,
    email: `${name}@x.example`,
    way: 'studio',
    chooseSeat: (seats) => {
      const own = seats.filter((seat) => seat.name === name || seat.email === name);
      const seat = own.find(({ status }) => status === 'open') ?? own[0];
      if (!seat) throw new ApprovalRefusal('not_asked', `${name} is not asked.`, 'Ask somebody else.');
      return { seat, instead: false };
    },
  };
  try {
    await bench.database.store.tenant(bench.companyId, (tx) =>
      decide(
        tx,
        { companyId: bench.companyId, ...task },
        decider,
        { outcome, comment: '', values: {}, ...more },
        deps.now(),
      ),
    );
    return 'ok';
  } catch (error) {
    if (error instanceof ApprovalRefusal) return error.code;
    throw error;
  }
}

/** Where a question stands, what its step got, and how often its run was woken. */
export async function standing(bench: Bench, { approvalId, runId }: AskedRun) {
  const [row] = await bench.database.asOwner<{
    status: string;
    outcome: string | null;
    stage: number;
    answer: { outcome: string; decisions: { by: string; outcome: string }[] } | null;
    wakes: number;
  }>(
    `select status, outcome, stage, (select answer from waits where key = $1) as answer,
            (select count(*)::int from run_wakes where run_id = $2) as wakes
       from approvals where id::text = $1`,
    [approvalId, runId],
  );
  if (!row) throw new Error('There is no such approval');
  return row;
}
