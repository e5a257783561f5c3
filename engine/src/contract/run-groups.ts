import type { Port } from '@plumbline/workflows/flow';
import type { StepDecision } from './runs.ts';

/** Runs that failed with the same code in the same flow: GET /api/runs/errors */
export interface ErrorGroup {
  readonly flowId: string;
  readonly flowName: string;
  readonly kind: string;
  readonly code: string;
  readonly count: number;
  /** What the newest of them says. */
  readonly message: string;
  readonly exampleRunId: string;
  readonly oldest: string;
  readonly newest: string;
}

/** Steps that wait for a person for the same reason: same flow, same step, same kind and code of error. */
export interface StuckGroup {
  readonly fingerprint: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly nodeId: string;
  readonly nodeName: string;
  /** What kind of step it is. */
  readonly type: string;
  readonly typeVersion: number;
  /** Whether the flow has drawn a way for its errors. */
  readonly errorWay: boolean;
  /** Ways on past the step, as the newest of them has it: first the one it goes when it is skipped and none is named. Empty where its type is not installed. */
  readonly ports: readonly Port[];
  readonly kind: string;
  readonly code: string;
  readonly count: number;
  /** What the newest of them says. */
  readonly message: string;
  readonly fix: string;
  readonly exampleRunId: string;
  /** When the first and the last of them began. */
  readonly oldest: string;
  readonly newest: string;
}

/** One of them. */
export interface StuckStep {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly subject: string | null;
  readonly since: string;
}

/** POST /api/runs/groups/:fingerprint/decide */
export interface GroupDecision {
  readonly action: StepDecision['action'];
  /** For `retry`: laid over what each of the steps was given; the rest of their input stays. */
  readonly patch?: Readonly<Record<string, unknown>>;
  /** For `abort`. */
  readonly compensate?: boolean;
  /** For `skip`: what the steps are taken to have answered. */
  readonly output?: unknown;
  /** For `skip`: the way they go on. @default the first of each */
  readonly port?: string;
  /** Only says what it would touch. */
  readonly dryRun: boolean;
  /** Only these; so that nothing is decided that nobody has seen. @default all */
  readonly runIds?: readonly string[];
}

/** What a decision about a group touches; of a dry run `done` is 0, and `refused` holds those that it would not be accepted for. */
export interface GroupOutcome {
  readonly count: number;
  readonly steps: readonly StuckStep[];
  readonly done: number;
  readonly refused: readonly (StuckStep & { readonly why: string })[];
  /** Beyond what one decision takes on; decide again for those. */
  readonly left: number;
}
