import { z } from 'zod';

const MS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

/** How long at most a step waits for what may never come. */
export const atMostFields = {
  amount: z.number().min(0).max(100_000).default(7).meta({ title: 'At most', description: '0: as long as it takes.' }),
  unit: z.enum(['minutes', 'hours', 'days']).default('days').meta({ title: 'Of what' }),
};

/** When its time is up; nothing when it waits as long as it takes. */
export function atMost(
  { amount, unit }: { readonly amount: number; readonly unit: keyof typeof MS },
  now: Date,
): { readonly until?: Date } {
  return amount === 0 ? {} : { until: new Date(now.getTime() + amount * MS[unit]) };
}
