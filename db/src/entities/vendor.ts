import { z } from 'zod';
import { line } from './values.ts';

/** A trade partner or supplier. */
export const vendor = z.strictObject({
  name: line.min(1),
  trade: line,
  email: line,
  phone: line,
  taxId: line,
  terms: line,
  status: z.enum(['active', 'inactive']),
});
