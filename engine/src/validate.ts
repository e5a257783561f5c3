import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import type { z } from 'zod';
import { ApiError } from './problem.ts';

/** Parses a part of the request; what does not fit is answered with its path, a field we do not know with `unknown_field`. */
export function valid<T extends z.ZodType, Target extends keyof ValidationTargets>(target: Target, schema: T) {
  return zValidator(target, schema, (result) => {
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
    if (target === 'param') throw new ApiError('not_found', 'There is nothing at this address.');
    throw new ApiError('invalid_input', `${path || 'The input'}: ${issue?.message ?? 'is not valid'}.`, {
      path,
      fix: 'Correct it and send it again.',
    });
  });
}
