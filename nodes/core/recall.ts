import { z } from 'zod';
import { defineLogic } from '../sdk/index.ts';

/** Reads what was kept with "Remember". */
export const node = defineLogic({
  id: 'core.recall',
  title: 'Recall',
  description: 'Reads what an earlier run kept under a key.',
  category: 'Data',
  icon: 'bookmark-check',
  input: z.object({
    collection: z.string().min(1).max(100).default('general').meta({ title: 'Collection' }),
    key: z.string().min(1).max(400).meta({ title: 'Key' }),
    fallback: z.unknown().optional().meta({ title: 'When there is none' }),
  }),
  output: z.object({ found: z.boolean(), value: z.unknown() }),
  ports: [
    { id: 'out', title: 'Found' },
    { id: 'missing', title: 'Nothing kept' },
  ],
  async run({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    const { found, value } = await platform.readKept(input.collection, input.key);
    if (found) return { output: { found, value } };
    // With something to put in its place there is one way on.
    return { output: { found, value: input.fallback ?? null }, port: input.fallback === undefined ? 'missing' : 'out' };
  },
});
