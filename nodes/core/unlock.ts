import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { textField } from './text-field.ts';

/** Lets the next run past "One at a time" that waits for the name. */
export const node = defineAction({
  id: 'core.unlock',
  title: 'Let others in',
  description: 'Ends what "One at a time" began; the next run goes on.',
  category: 'Logic',
  effect: 'upsert',
  icon: 'lock-open',
  input: z.object({ name: textField({ max: 400, title: 'Name' }) }),
  output: z.object({ name: z.string() }),
  async run({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.letGo(input.name);
    return { output: input };
  },
});
