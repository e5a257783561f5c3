import type { StuckGroup } from './run-groups.ts';
import type { StepError } from './runs.ts';

/** A step that goes on by itself: at its next attempt, or when its time has come. */
export interface WaitingStep {
  readonly runId: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly subject: string | null;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly iteration: string;
  /** Attempts made, and how many there are; both 0 for a step that only waits for its time. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly nextAttemptAt: string | null;
  readonly since: string;
  /** Why the last attempt did not get through. */
  readonly error: StepError | null;
  /** Who or what brings its end, where that is not its time alone. Only from waiting for something to happen can it be told to go on. */
  readonly awaits: AwaitedEnd | null;
}

/** A decision of people, a run that was called, a turn that others have, or something that happens elsewhere. */
export interface AwaitedEnd {
  readonly kind: 'decision' | 'flow' | 'lock' | 'event';
  /** The task, the run, the name of the lock, or what is to happen. */
  readonly id: string;
}

/** Events of one kind whose turn to start a run has not come. */
export interface PendingEvents {
  readonly kind: string;
  readonly key: string;
  /** Flows that listen to it. */
  readonly flows: readonly string[];
  readonly count: number;
  readonly oldest: string;
  /** Somebody put them first. */
  readonly first: boolean;
}

/** One event whose turn has not come. */
export interface PendingEvent {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  /** What it is about, where that is a record. */
  readonly subject: string | null;
  /** The beginning of its data, with secrets masked. */
  readonly excerpt: string;
  readonly receivedAt: string;
}

/** Which of the events that wait: those with these ids, or all that the filter fits. */
export type PendingChoice =
  | { readonly ids: readonly string[] }
  | {
      readonly kind?: string;
      readonly key?: string;
      /** In their data or their key. */
      readonly q?: string;
    };

/** POST /api/queue/drop: events that have not begun. */
export interface DropRequest {
  readonly choice: PendingChoice;
  readonly reason: string;
  /** Only says which. */
  readonly dryRun: boolean;
  /** What a dry run answered: those that came after it are left alone. */
  readonly upTo?: string;
}

export interface DropOutcome {
  /** How many are dropped, or would be. */
  readonly count: number;
  /** The first hundred of them; for a dry run only. */
  readonly events: readonly PendingEvent[];
  readonly upTo: string;
  /** Beyond what is dropped at once; drop again for those. */
  readonly left: number;
  readonly drop: EventDrop | null;
}

/** Events that somebody dropped together. */
export interface EventDrop {
  readonly id: string;
  readonly reason: string;
  readonly count: number;
  readonly kinds: readonly string[];
  readonly droppedBy: string;
  readonly droppedAt: string;
  /** Until when they can be put back. */
  readonly keptUntil: string;
  readonly putBackBy: string | null;
  readonly putBackAt: string | null;
}

/** POST /api/queue/waiting: about many that go on by themselves. */
export interface WaitingDecision {
  readonly action: 'wake' | 'drop';
  readonly steps: readonly { readonly runId: string; readonly nodeId: string; readonly iteration: string }[];
}

export interface WaitingOutcome {
  readonly done: number;
  readonly refused: readonly { readonly runId: string; readonly nodeId: string; readonly why: string }[];
}

/** GET /api/queue?shown=200&flowId=… */
export interface Queue {
  /** In the order in which their turn comes. */
  readonly pending: readonly PendingEvents[];
  readonly groups: readonly StuckGroup[];
  /** The next to go on first. */
  readonly waiting: readonly WaitingStep[];
  /** Of those there are this many; the list holds as many as were asked for, 200 by default. */
  readonly waitingTotal: number;
  /** Flows of whose runs some go on by themselves, whichever are listed. */
  readonly waitingFlows: readonly { readonly id: string; readonly name: string; readonly count: number }[];
}
