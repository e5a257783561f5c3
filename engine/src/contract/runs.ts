import type { FlowDocument } from '@plumbline/workflows/flow';
import type { StepFailure } from '@plumbline/workflows/step-failure';
import type { RunApproval } from './approvals.ts';

export type RunStatus = 'queued' | 'running' | 'waiting' | 'parked' | 'succeeded' | 'failed' | 'cancelled';
export type StepStatus = 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'parked';

export interface RunSummary {
  readonly id: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly flowVersion: number;
  readonly status: RunStatus;
  readonly trigger: string;
  /** What it is about: `Vendor invoice INV-10412`. */
  readonly subject: string | null;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly error: StepError | null;
  /** Run that this one repeats. */
  readonly againOf: string | null;
}

export type StepError = StepFailure;

/** One attempt of a step that did not succeed, or the one that followed. */
export interface StepAttempt {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Why it did not succeed; absent for the one that did. */
  readonly kind?: string;
  readonly code?: string;
  readonly message?: string;
  /** When the next was due; absent when a person had to decide. */
  readonly nextAt?: string;
}

/** Steps of other runs of the same flow that came to the same error at the same node. */
export interface SimilarFailures {
  /** Wait for a person now. */
  readonly waiting: number;
  /** Runs that failed with it in the last 30 days. */
  readonly failed: number;
}

export interface StepDetail {
  readonly nodeId: string;
  readonly iteration: string;
  readonly name: string;
  readonly type: string;
  readonly status: StepStatus;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly port: string | null;
  /** Secrets in input and output are masked. */
  readonly input: unknown;
  readonly output: unknown;
  /** What it got and gave is too large to be told with the rest; it is asked for by itself. */
  readonly withheld?: true;
  readonly error: StepError | null;
  /** In their order; empty when the first one succeeded. */
  readonly attempts: readonly StepAttempt[];
  /** For a step that waits for a person or failed. */
  readonly similar?: SimilarFailures;
  readonly nextAttemptAt: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** Not done in this run: taken over from the one it repeats. */
  readonly carried?: true;
  /** Not carried out: what it hands on is pinned, or made up. */
  readonly simulated?: boolean;
}

/** What a step got and gave, secrets masked. */
export interface StepData {
  readonly input: unknown;
  readonly output: unknown;
}

export interface RunDetail extends RunSummary {
  readonly steps: readonly StepDetail[];
  /** How many more there are, in the rounds of loops; all that went wrong or is under way comes first. */
  readonly stepsLeftOut: number;
  /** It tries a drawing out, and counts for nothing. */
  readonly test: boolean;
  /** Questions that its steps put to people. */
  readonly approvals: readonly RunApproval[];
  /** Run that called this one, and runs that this one called. */
  readonly caller: { readonly runId: string; readonly nodeId: string } | null;
  readonly called: readonly {
    readonly runId: string;
    readonly flowName: string;
    readonly nodeId: string;
    readonly iteration: string;
    readonly status: RunStatus;
  }[];
  /** Node this run began again from, when not from its trigger. */
  readonly againFrom: string | null;
  /** Runs that repeat this one, newest first. */
  readonly again: readonly { readonly id: string; readonly status: RunStatus; readonly queuedAt: string }[];
  /** The version the run runs, not today's draft. */
  readonly document: FlowDocument;
  readonly event: {
    readonly id: string;
    readonly kind: string;
    readonly key: string;
    readonly receivedAt: string;
    readonly data: unknown;
  } | null;
  readonly carrierId: string;
  readonly lane: number;
  readonly temporalUrl: string | null;
}

/** POST /api/flows/:id/tests: tries a drawing out. Writes go through where the account is a sandbox, and are made up elsewhere. */
export interface TestRequest {
  /** The drawing; the saved draft, when left out. */
  readonly document?: FlowDocument;
  /** This step alone; what comes before it is not carried out. */
  readonly only?: string;
  /** Everything that leads to this step, and the step. */
  readonly upTo?: string;
  /** What happened; what is pinned, or made up, when left out. */
  readonly trigger?: { readonly nodeId?: string; readonly output?: unknown };
  /** What steps before one that is tried alone hand on, by node. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** The item, for a step alone that stands in a loop. */
  readonly item?: unknown;
}

/** What a step hands on while its drawing is tried out. Runs that count never use it. */
export interface FlowPin {
  readonly nodeId: string;
  readonly port: string;
  readonly output: unknown;
  readonly pinnedBy: string | null;
  readonly pinnedAt: string;
}

/** POST /api/runs/:id/steps/:nodeId/decide */
export type StepDecision =
  /** Again; with `input` in place of what its mappings give, checked against the node before it is accepted. What stays masked in it stays as it was. */
  | { readonly action: 'retry'; readonly input?: Readonly<Record<string, unknown>>; readonly iteration?: string }
  /** Goes on as if the step had given this output and left by this port; its first port when none is named. */
  | { readonly action: 'skip'; readonly output: unknown; readonly port?: string; readonly iteration?: string }
  /** Goes on along the way for errors; only where the flow has drawn one from this step. */
  | { readonly action: 'error_port'; readonly iteration?: string }
  /**
   * The step fails, and goes no way that is drawn from it: so does the run; in a loop or a scope, what that does with a failure is done. With `compensate`, what
   * the run wrote is undone first where its steps can.
   */
  | { readonly action: 'abort'; readonly compensate?: boolean; readonly iteration?: string };

/** POST /api/runs/:id/rerun, for a run that has ended. */
export interface RerunRequest {
  /** Begins at this node: what is recorded of the nodes that do not follow it is taken over. @default the trigger */
  readonly from?: string;
  /** In place of what the trigger gave. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly version: 'same' | 'current';
  /** Only says what it would do. @default false */
  readonly dryRun?: boolean;
}

export interface Rerun {
  /** The new run; null for a dry run. */
  readonly runId: string | null;
  readonly version: number;
  /** Steps whose recorded outputs are taken over; `changed` when that version of the step is drawn otherwise than the one that gave them. */
  readonly carried: readonly { readonly nodeId: string; readonly name: string; readonly changed: boolean }[];
  /** Steps of the closed run that that version no longer has. */
  readonly gone: readonly { readonly nodeId: string; readonly name: string }[];
  /** Steps that run, if their turn comes. */
  readonly again: readonly {
    readonly nodeId: string;
    readonly name: string;
    /** It was not in the closed run's version; it is drawn otherwise there; it is the same. */
    readonly since: 'new' | 'changed' | 'same';
    /** It changes something outside, and does so again. */
    readonly writes: boolean;
  }[];
}

/** Server-sent events of GET /api/live: `event: change`, data = one of these. Fetch what you show again. */
export interface LiveChange {
  readonly topic: 'run' | 'step' | 'notification' | 'connection' | 'record' | 'task';
  readonly id: string;
  readonly entity?: string;
  readonly nodeId?: string;
  readonly flowId?: string;
  readonly status?: string;
}
