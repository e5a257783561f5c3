import type { TriggerField } from './flows.ts';

/** A question of a run, as the run shows it. */
export interface RunApproval {
  readonly id: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: TaskStatus;
  readonly outcome: string | null;
  /** "Ana and one of Ben, Cal"; null when it is not asked any more. */
  readonly waitingFor: string | null;
  readonly expiresAt: string | null;
}

export type TaskStatus = 'open' | 'decided' | 'expired' | 'withdrawn';

/** A line of the list of tasks. */
export interface TaskSummary {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  /** Decimal text. */
  readonly amount: string | null;
  readonly outcome: { readonly id: string; readonly title: string } | null;
  readonly flowName: string;
  readonly runId: string;
  readonly waitingFor: string | null;
  /** Whether the reader is asked now. */
  readonly mine: boolean;
  readonly openedAt: string;
  readonly expiresAt: string | null;
  readonly closedAt: string | null;
}

/** Somebody who is asked. */
export interface TaskSeat {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: 'ahead' | 'open' | 'decided' | 'delegated' | 'closed';
  readonly way: 'asked' | 'escalated' | 'delegated';
  readonly handedBy: string | null;
  /** Somebody without an account, who decides by a link. */
  readonly outside: boolean;
  /** Until when their link works; null without one. */
  readonly linkUntil: string | null;
  /** The last mail to them; null when none was written, or this installation sends none. */
  readonly mail: SeatMail | null;
}

/** How far a mail to somebody has come. */
export interface SeatMail {
  readonly state: 'on_its_way' | 'sent' | 'failed';
  /** When it was written, handed over, or given up. */
  readonly at: string;
  /** Why it did not get through, in the mail server's words; null while nothing went wrong. */
  readonly problem: string | null;
}

export interface TaskStage {
  readonly number: number;
  readonly title: string;
  readonly fromAmount: string;
  readonly need: number;
  readonly status: 'ahead' | 'open' | 'approved' | 'ended';
  readonly seats: readonly TaskSeat[];
}

export interface TaskDecision {
  readonly stage: number;
  readonly outcome: { readonly id: string; readonly title: string };
  readonly by: string;
  readonly insteadOf: string | null;
  readonly way: 'studio' | 'link';
  readonly comment: string;
  readonly filled: readonly { readonly title: string; readonly value: unknown }[];
  readonly at: string;
}

/** What is asked, as whoever decides sees it. */
export interface Question {
  readonly title: string;
  readonly body: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly amount: string | null;
  readonly form: readonly TriggerField[];
  /** Every answer there is, in the order of the buttons. */
  readonly outcomes: readonly { readonly id: string; readonly title: string }[];
  /** When a comment must be given. */
  readonly comment: 'optional' | 'rejection' | 'always';
  readonly expiresAt: string | null;
}

export interface TaskDetail extends TaskSummary {
  readonly question: Question;
  readonly record: { readonly entity: string; readonly id: string } | null;
  readonly stages: readonly TaskStage[];
  readonly decisions: readonly TaskDecision[];
  /** The seat that the reader decides from; null when they are not asked. */
  readonly seatId: string | null;
  /** Whether the reader may decide in place of others, and make links. */
  readonly mayOversee: boolean;
  /** Colleagues it can be handed to. */
  readonly colleagues: readonly { readonly email: string; readonly name: string }[];
}

/** POST /api/tasks/:id/decide, and POST /api/approve/:token without `seatId`. */
export interface TaskDecisionRequest {
  readonly outcome: string;
  readonly comment?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** For an admin: in whose place. */
  readonly seatId?: string;
}

/** GET /api/approve/:token, without an account. */
export interface LinkedQuestion extends Question {
  readonly companyName: string;
  readonly currency: string;
  readonly timeZone: string;
  /** Who is asked. */
  readonly name: string;
}
