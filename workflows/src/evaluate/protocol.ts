/** Coded reasons why an expression gave no value. */
export type ExpressionErrorCode =
  | 'expr_syntax'
  | 'expr_forbidden'
  | 'expr_timeout'
  | 'expr_resource'
  | 'expr_too_deep'
  | 'expr_too_large'
  | 'expr_too_long'
  | 'expr_error'
  | 'regex_unsafe'
  | 'reserved_key'
  | 'number_not_finite'
  | 'evaluator_busy';

export interface ExpressionError {
  readonly code: ExpressionErrorCode;
  readonly message: string;
  /** Which of the request's expressions. */
  readonly field: string;
  /** Offset into its source. */
  readonly at?: number;
}

/** One step's worth of expressions over one context. Only JSON text crosses to the child. */
export interface EvaluateRequest {
  /** JSON of the object the expressions see. */
  readonly context: string;
  readonly expressions: readonly { readonly field: string; readonly source: string }[];
  /** What `$now()` and `$millis()` say; the same over retries of a step. ISO 8601. */
  readonly now: string;
  /** Seeds `$random()` and `$shuffle()`. */
  readonly seed: string;
}

/** `values` holds JSON text; a field whose expression matched nothing is absent. */
export type EvaluateAnswer =
  | { readonly ok: true; readonly values: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly error: ExpressionError };

export const evaluateLimits = {
  /** JSONata's own clock, checked between its operations. */
  softTimeoutMs: 500,
  /** The child is killed: a single operation ran away. */
  hardTimeoutMs: 1_000,
  /** Calls of JSONata's own, one in another: a function may call itself 39 times. Ackermann's is there long before its time is up. */
  stack: 120,
  sequence: 10_000,
  contextBytes: 4_000_000,
  outputBytes: 1_000_000,
  outputDepth: 64,
  sourceBytes: 16_384,
} as const;
