import { z } from 'zod';
import { line } from './values.ts';

/** What a cost is for, in the builder's own numbering. */
export const costCode = z.strictObject({ code: line.min(1), name: line.min(1), division: line });
