import type { Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import { readApprovers } from '../flow/approvers.ts';

/** Somebody of the company. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** In lower case. */
  readonly email: string;
  readonly role: 'owner' | 'admin' | 'builder' | 'viewer';
}

/** Somebody who is asked; without a user it is somebody outside, who decides by a link. */
export interface Asked {
  readonly userId: string | null;
  readonly name: string;
  readonly email: string;
}

/** Everybody of the transaction's company, by name. */
export async function companyPeople(tx: Transaction): Promise<readonly Person[]> {
  const { rows } = await sql<Person>`select id, name, email, role from company_people() order by name, email`.execute(
    tx,
  );
  return rows;
}

/**
 * Who is meant by addresses and roles, each person once, in the order they are named.
 * @returns also what cannot be asked, and why.
 */
export function whoIsMeant(
  text: string,
  people: readonly Person[],
): {
  readonly asked: readonly Asked[];
  readonly problem?: {
    readonly code: 'approver_unknown' | 'approver_may_not_decide' | 'approvers_missing';
    readonly message: string;
  };
} {
  const { approvers, unknown } = readApprovers(text);
  const asked = new Map<string, Asked>();
  const [odd] = unknown;
  if (odd !== undefined)
    return {
      asked: [],
      problem: {
        code: 'approver_unknown',
        message: `"${odd}" is neither an e-mail address nor a role (owner, admin, builder).`,
      },
    };
  for (const approver of approvers) {
    const found =
      approver.kind === 'role'
        ? people.filter(({ role }) => role === approver.role)
        : people.filter(({ email }) => email === approver.email);
    const viewer = found.find(({ role }) => role === 'viewer');
    if (viewer)
      return {
        asked: [],
        problem: {
          code: 'approver_may_not_decide',
          message: `${viewer.name} (${viewer.email}) only looks on in this company and may not decide. Give them another role, or ask somebody else.`,
        },
      };
    for (const { id, name, email } of found) asked.set(email, { userId: id, name, email });
    if (approver.kind === 'email' && found.length === 0)
      asked.set(approver.email, { userId: null, name: approver.email, email: approver.email });
  }
  if (asked.size === 0)
    return {
      asked: [],
      problem: {
        code: 'approvers_missing',
        message: `Nobody can be asked: "${text.slice(0, 200)}" is nobody of this company. Invite somebody with that role, or name an address.`,
      },
    };
  return { asked: [...asked.values()] };
}
