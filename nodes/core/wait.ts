import { z } from 'zod';
import { ConnectorFailure, defineWait } from '../sdk/index.ts';

const MS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
const YEAR_MS = 366 * MS.days;

/**
 * Lets time pass, from a minute to a year. Nothing sleeps meanwhile: the wait is a durable timer that survives restarts and updates.
 * A time that has passed already is no wait at all.
 *
 * Errors: `date_invalid`, `wait_too_long`.
 */
export const node = defineWait({
  id: 'core.wait',
  title: 'Wait',
  description: 'Goes on after some time, or at a time.',
  category: 'Logic',
  icon: 'hourglass',
  input: z.object({
    amount: z.number().min(0).max(100_000).default(1).meta({ title: 'How long' }),
    unit: z.enum(['minutes', 'hours', 'days']).default('hours').meta({ title: 'Of what' }),
    until: z.string().max(40).default('').meta({
      title: 'Or until',
      description: 'A day or a time with its offset, such as 2026-12-01T07:00:00-05:00. Takes the place of "How long".',
    }),
  }),
  output: z.object({ waitedUntil: z.string() }),
  example: { amount: 2, unit: 'days' },
  until: ({ amount, unit, until }, now) => {
    const time = until === '' ? new Date(now.getTime() + amount * MS[unit]) : readTime(until);
    if (time.getTime() - now.getTime() > YEAR_MS)
      throw new ConnectorFailure({
        kind: 'invalid',
        code: 'wait_too_long',
        message: `This would wait until ${time.toISOString().slice(0, 10)}, and no wait is longer than a year.`,
      });
    return time;
  },
  resume: (_, until) => ({ waitedUntil: until.toISOString() }),
});

function readTime(text: string): Date {
  const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? new Date(text)
    : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  throw new ConnectorFailure({
    kind: 'invalid',
    code: 'date_invalid',
    message: `"${text.slice(0, 60)}" is no time to wait for. Give a day like 2026-12-01, or a time with its offset like 2026-12-01T07:00:00-05:00.`,
  });
}
