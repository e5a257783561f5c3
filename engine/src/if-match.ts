import type { Context } from 'hono';
import { ApiError } from './problem.ts';

/**
 * The revision that whoever asks has seen, as `If-Match: "7"` says; undefined without one.
 * @throws ApiError `invalid_input`
 */
export function revisionSeen(c: Context): number | undefined {
  const given = c.req.header('if-match');
  if (given === undefined) return undefined;
  const revision = /^"?(\d{1,15})"?$/.exec(given)?.[1];
  if (revision !== undefined) return Number(revision);
  throw new ApiError('invalid_input', 'If-Match must hold the revision the draft was read at.', { path: 'If-Match' });
}
