import { createHash } from 'node:crypto';
import { canonicalJson } from './flow/canonical.ts';
import type { Plan } from './flow/plan.ts';

/** A plan's address: SHA-256 of its canonical JSON, 64 hex digits. */
export function planHash(plan: Plan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex');
}
