import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';

/**
 * Starts when another flow has trouble: a run failed, a step waits for a person, or it works again after that. The event is written in the transaction of the
 * fact. Never for its own flow, nor for runs that trouble started.
 */
export const node = defineTrigger({
  id: 'core.flow-error',
  title: 'A flow has trouble',
  description: 'A run failed, a step waits for a person, or it works again.',
  category: 'Triggers',
  icon: 'triangle-alert',
  input: z.object({
    when: z
      .enum(['trouble', 'failed', 'parked', 'recovered', 'all'])
      .default('trouble')
      .meta({
        title: 'When',
        labels: {
          trouble: 'A run failed, or a step waits for a person',
          failed: 'A run failed',
          parked: 'A step waits for a person',
          recovered: 'It works again',
          all: 'Any of these',
        },
      }),
    flow: z.string().optional().meta({
      title: 'Flow',
      description: 'All but this one, when left empty.',
      choicesFrom: 'flows',
    }),
  }),
  output: z.object({
    what: z.enum(['failed', 'parked', 'recovered']),
    flow: z.object({ id: z.string(), name: z.string() }),
    run: z.object({ id: z.string() }),
    step: z.object({ id: z.string(), name: z.string() }).nullable(),
    error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).partial().loose().nullable(),
    at: z.string(),
  }),
  subscription: { kind: 'flow_error' },
});
