import { z } from 'zod';
import { day, line, money } from './values.ts';

/** A house being built, or a subdivision's phase. */
export const project = z.strictObject({
  name: line.min(1),
  code: line,
  address: line,
  city: line,
  status: z.enum(['planning', 'active', 'warranty', 'closed']),
  superintendent: line,
  startDate: day,
  budget: money,
});
