/** GET /api/health, for anyone. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly checks: Readonly<
    Record<'database' | 'temporal' | 'worker' | 'evaluator', { readonly ok: boolean; readonly detail: string }>
  >;
  readonly pendingEvents: number;
  readonly oldestPendingSeconds: number | null;
}

/** GET /api/health/accounting: where everything is that came in. Of one moment. */
export interface Accounting {
  readonly at: string;
  /** acknowledged = ignored + dropped + withRuns + pending */
  readonly events: {
    readonly acknowledged: number;
    readonly ignored: number;
    /** By hand, before they began. */
    readonly dropped: number;
    readonly withRuns: number;
    /** Not looked at yet. */
    readonly pending: number;
    readonly oldestPendingAt: string | null;
    readonly ties: boolean;
    /** Some of those that are nowhere. */
    readonly strays: readonly string[];
  };
  /** total = done + failed + cancelled + parked + waiting + running + queued */
  readonly runs: {
    readonly total: number;
    readonly done: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly parked: number;
    readonly waiting: number;
    readonly running: number;
    readonly queued: number;
    readonly ties: boolean;
    readonly strays: readonly string[];
  };
  readonly ties: boolean;
}
