import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';

const states = ['any', 'connected', 'degraded', 'needs_reconnect', 'paused', 'disconnected'] as const;
const labels = {
  any: 'Any',
  connected: 'Connected',
  degraded: 'Has trouble',
  needs_reconnect: 'Must be connected again',
  paused: 'Paused',
  disconnected: 'Disconnected',
};

/** Starts when a connection to a vendor changes its state. The event is written in the transaction of the change. */
export const node = defineTrigger({
  id: 'core.connection-state',
  title: 'A connection changes',
  description: 'A connection breaks, has to be connected again, or works again.',
  category: 'Triggers',
  icon: 'plug',
  input: z.object({
    to: z.enum(states).default('needs_reconnect').meta({ title: 'Becomes', labels }),
    from: z.enum(states).default('any').meta({ title: 'And was', labels, advanced: true }),
    connection: z.string().optional().meta({
      title: 'Connection',
      description: 'All of them, when left empty.',
      choicesFrom: 'connections',
    }),
  }),
  output: z.object({
    connection: z.object({ id: z.string(), name: z.string(), connector: z.string() }),
    from: z.string(),
    to: z.string(),
    message: z.string().nullable(),
    at: z.string(),
  }),
  subscription: { kind: 'connection_state' },
});
