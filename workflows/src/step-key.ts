import { createHash } from 'node:crypto';

/**
 * The name under which a step's effect happens once: stable over attempts, worker deaths and Temporal's own run ids.
 * 43 characters of base64url, so that it fits QuickBooks' `requestid` (50) and Xero's `Idempotency-Key` (128).
 */
export function stepKey(step: {
  readonly companyId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
}): string {
  return createHash('sha256')
    .update([step.companyId, step.runId, step.nodeId, step.iteration].join('\n'))
    .digest('base64url');
}
