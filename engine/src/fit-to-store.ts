import { isStorableText } from '@plumbline/db';
import { JSON_DEPTH } from './ingress/json.ts';
import { ApiError } from './problem.ts';

/** What came in from outside as deep as it may comes back a few levels deeper, within what is said about it here. */
const DEEPEST = JSON_DEPTH + 8;

/**
 * Makes sure that every text in a value can be stored, and that it is not nested without end.
 * @throws ApiError `unsupported_character`, `json_too_deep`, with the path to the place.
 */
export function requireStorable(value: unknown, path: readonly string[] = []): void {
  if (typeof value === 'string') requireText(value, path);
  if (typeof value !== 'object' || value === null) return;
  if (path.length >= DEEPEST)
    throw new ApiError('json_too_deep', `${path[0] ?? 'The input'} is nested deeper than ${DEEPEST} levels.`, {
      ...(path[0] === undefined ? {} : { path: path[0] }),
      fix: 'Flatten it.',
    });
  for (const [key, item] of Object.entries(value)) {
    requireText(key, path);
    requireStorable(item, [...path, key]);
  }
}

function requireText(text: string, path: readonly string[]): void {
  if (isStorableText(text)) return;
  throw new ApiError(
    'unsupported_character',
    `${path.join('.') || 'The input'} holds a character that cannot be stored (NUL, or half of a surrogate pair).`,
    { path: path.join('.'), fix: 'Leave that character out.' },
  );
}
