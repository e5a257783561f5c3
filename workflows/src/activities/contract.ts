/**
 * What workflow code may ask of the outside. References only: values stay in the ledger, secrets stay in the activity, so that
 * a history holds a few hundred bytes however much a run does.
 */
export interface Activities {
  /**
   * Carries runs on as far as they go without waiting; one report each, in their order. Where they stand is in the ledger, so it may be repeated. Throws
   * only when the ledger itself is out of reach.
   */
  advance(input: AdvanceInput): Promise<readonly LaneReport[]>;
  /**
   * Records what a person decided about a step that is parked; a step that waits for its next attempt can be given up too. Resolves with whether the
   * decision was in time: false when the step stands elsewhere by now, and then nothing is written.
   */
  settleStep(input: SettleStepInput): Promise<boolean>;
  /** Lets a step that waits for its next attempt go on now. Resolves with whether it did wait. */
  wakeStep(input: StepRef): Promise<boolean>;
  /** Ends a run that someone cancelled; what it has done stays done. */
  cancelRun(input: RunRef): Promise<void>;
}

export interface RunRef {
  readonly companyId: string;
  readonly runId: string;
}

export interface AdvanceInput {
  readonly companyId: string;
  readonly planHash: string;
  readonly runIds: readonly string[];
  /** Whether this is their carrier's first call, which may join whoever went ahead of it. */
  readonly first?: boolean;
}

/** Where a run stands after it was carried on. */
export interface LaneReport {
  readonly runId: string;
  readonly ended: boolean;
  /** When it can go on by itself; null when it cannot. */
  readonly wakeInMs: number | null;
}

export type StepDecision =
  /** Again, with all attempts before it; with `input` in place of what its mappings give. */
  | { readonly action: 'retry'; readonly input?: Readonly<Record<string, unknown>> }
  /** Goes on as if the step had given this output and left by this port. @default the node's first port */
  | { readonly action: 'skip'; readonly output: unknown; readonly port?: string }
  /** Goes on along the way for errors, which the flow must have drawn from this step. */
  | { readonly action: 'error_port' }
  /** Gives the run up; with `compensate`, what it wrote is undone first, in reverse, where its steps declare how. */
  | { readonly action: 'abort'; readonly compensate?: boolean };

export interface StepRef extends RunRef {
  readonly nodeId: string;
  readonly iteration: string;
}

export interface SettleStepInput extends StepRef {
  readonly planHash: string;
  readonly decision: StepDecision;
  /** Of the decision; made once more under it, it stands as it was made. */
  readonly decisionId?: string;
  /** Whether nothing carries the run on meanwhile: only then may a step be given up that waits for a time. */
  readonly exclusive: boolean;
}
