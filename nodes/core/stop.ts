import { z } from 'zod';
import { defineLogic } from '../sdk/index.ts';

/** Ends a branch, and says why. */
export const node = defineLogic({
  id: 'core.stop',
  title: 'Stop here',
  description: 'Nothing more to do on this way.',
  category: 'Logic',
  icon: 'circle-stop',
  input: z.object({ reason: z.string().max(300).optional().meta({ title: 'Reason' }) }),
  output: z.object({ reason: z.string().optional() }),
  ports: [],
  run: ({ input }) => Promise.resolve({ output: input }),
});
