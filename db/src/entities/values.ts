import { z } from 'zod';

/** An amount: decimal text with two places, never a float. */
export const money = z.string().regex(/^-?\d{1,12}\.\d{2}$/, 'Write an amount like 1234.50');
/** A day, YYYY-MM-DD, without time or zone. */
export const day = z.iso.date();
/** A short text. */
export const line = z.string().trim().max(300);
