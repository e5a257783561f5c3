import type { StepFailure } from '../step-failure.ts';

/**
 * What workflow code may ask of the outside. References only: values stay in the ledger, secrets stay in the activity, so that
 * a history holds a few hundred bytes a step.
 */
export interface Activities {
  /** Carries out one attempt of one node and records it. Throws only when the ledger itself is out of reach. */
  runStep(input: RunStepInput): Promise<StepOutcome>;
  /** Records what a person decided about a parked step. */
  settleStep(input: SettleStepInput): Promise<{ readonly port: string | null }>;
  startRun(input: RunRef): Promise<void>;
  finishRun(input: FinishRunInput): Promise<void>;
}

export interface RunRef {
  readonly companyId: string;
  readonly runId: string;
}

export interface RunStepInput extends RunRef {
  readonly planHash: string;
  readonly nodeId: string;
  readonly iteration: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly onError: 'park' | 'port' | 'stop';
  /** First wait of the back-off. */
  readonly initialSeconds: number;
}

export type StepOutcome =
  | { readonly kind: 'done'; readonly port: string }
  /** Try again after that time. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'failed'; readonly failure: StepFailure }
  /** Recorded as waiting for a person. */
  | { readonly kind: 'parked'; readonly failure: StepFailure };

export type StepDecision =
  { readonly action: 'retry' } | { readonly action: 'skip'; readonly output: unknown } | { readonly action: 'abort' };

export interface SettleStepInput extends RunRef {
  readonly nodeId: string;
  readonly iteration: string;
  readonly decision: StepDecision;
}

export interface FinishRunInput extends RunRef {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  /** Nodes that no taken edge led to. */
  readonly skipped: readonly string[];
  readonly failure?: StepFailure;
}
