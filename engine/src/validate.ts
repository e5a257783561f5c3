import { zValidator } from '@hono/zod-validator';
import { isPlaceInList, isStorableText } from '@plumbline/db';
import type { ValidationTargets } from 'hono';
import { z } from 'zod';
import { requireStorable } from './fit-to-store.ts';
import { ApiError } from './problem.ts';

/** Number of a version, as the database counts them. */
export const versionNumber = z.coerce.number().int().positive().max(2_147_483_647);

/** Where the page before ended: a time and an id. */
export const placeInList = z
  .string()
  .max(200)
  .refine((text) => {
    const [at, id, ...more] = Buffer.from(text, 'base64url').toString().split('|');
    return more.length === 0 && isPlaceInList(at, id);
  }, 'is no place in the list');

/**
 * Parses a part of the request; what does not fit is answered with its path, a field we do not know with `unknown_field`. What could not be stored never
 * gets further than here.
 */
export function valid<T extends z.ZodType, Target extends keyof ValidationTargets>(target: Target, schema: T) {
  return zValidator(
    target,
    schema,
    (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const path = issue?.path.join('.') ?? '';
      if (issue?.code === 'unrecognized_keys')
        throw new ApiError(
          'unknown_field',
          `There is no field "${(issue as unknown as { keys: string[] }).keys.join('", "')}".`,
          { path, fix: 'Leave it out.' },
        );
      // An address that cannot be anything's is the address of nothing.
      if (target === 'param') throw nothingThere();
      throw new ApiError('invalid_input', `${path || 'The input'}: ${issue?.message ?? 'is not valid'}.`, {
        path,
        fix: 'Correct it and send it again.',
      });
    },
    {
      validationFunction: async (known, value: unknown) => {
        // Before it is parsed: a schema of nested values goes as deep as they do.
        if (target !== 'param') requireStorable(value);
        else if (!Object.values(value as object).every(isStorableText)) throw nothingThere();
        // The validator's own name for this result says the same, in conditional types that do not resolve for a type parameter.
        return (await known.safeParseAsync(value)) as never;
      },
    },
  );
}

function nothingThere(): ApiError {
  return new ApiError('not_found', 'There is nothing at this address.');
}
