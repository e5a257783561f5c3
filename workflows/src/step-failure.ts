/** Why a step did not succeed, ready to be shown: nothing secret, nothing technical that a person cannot act on. */
export interface StepFailure {
  /** A connector's failure kind, an expression's code, or ours. */
  readonly kind: string;
  readonly code: string;
  /** What happened, to what. */
  readonly message: string;
  /** What to do next. */
  readonly fix: string;
  readonly vendorMessage?: string;
  readonly requestId?: string;
  /** Input field to blame. */
  readonly field?: string;
  /** Of a scope: the step inside that failed. */
  readonly step?: string;
  /** Steps of a scope that failed, or of a run that was given up, that were undone; and those that wrote something that stays. */
  readonly undone?: readonly string[];
  readonly kept?: readonly string[];
}
