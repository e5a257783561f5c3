import { z } from 'zod';
import { defineScope } from '../sdk/index.ts';

/**
 * Does the steps drawn inside it as one: when one of them fails for good, the rest is not done, what the others wrote is undone, last first, and the flow goes
 * on by "One failed".
 *
 * Errors: that of the step that failed.
 */
export const node = defineScope({
  id: 'core.scope',
  title: 'Scope',
  description: 'Holds steps together: when one of them fails for good, what the others wrote is undone.',
  category: 'Logic',
  icon: 'shield-check',
  input: z.object({
    onFailure: z
      .enum(['undo', 'leave'])
      .default('undo')
      .meta({
        title: 'When a step fails',
        description: 'What a step can take back is said in its settings.',
        labels: { undo: 'Undo what the others wrote', leave: 'Leave it as it is' },
      }),
  }),
  output: z.object({}),
  example: {},
});
