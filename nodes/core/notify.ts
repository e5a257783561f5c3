import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';

/** Tells the people of the company, inside the studio. */
export const node = defineAction({
  id: 'core.notify',
  title: 'Tell the team',
  description: 'Puts a notice under the bell of everyone in the company.',
  category: 'Communication',
  icon: 'bell',
  effect: 'create',
  // The platform keeps one notice per key.
  idempotency: 'key',
  input: z.object({
    title: z.string().min(1).max(200).meta({ title: 'Title' }),
    body: z.string().max(2_000).default('').meta({ title: 'Text', multiline: true }),
    severity: z.enum(['info', 'warning', 'error']).default('info').meta({ title: 'Importance' }),
  }),
  output: z.object({ id: z.string() }),
  async run({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    return { output: await platform.notify(input) };
  },
});
