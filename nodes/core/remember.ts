import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';

const DAY_MS = 86_400_000;

/** Keeps a value under a key of a collection, for this flow or another one to read later. Nothing, or null, forgets it. */
export const node = defineAction({
  id: 'core.remember',
  title: 'Remember',
  description: 'Keeps a value under a key, for a later run of this or another flow.',
  category: 'Data',
  icon: 'bookmark',
  effect: 'upsert',
  input: z.object({
    collection: z.string().min(1).max(100).default('general').meta({ title: 'Collection' }),
    key: z.string().min(1).max(400).meta({ title: 'Key' }),
    value: z.unknown().optional().meta({ title: 'Value', description: 'Left empty, what is kept is forgotten.' }),
    days: z.number().min(0).max(3_660).default(0).meta({ title: 'Days to keep it', description: '0: for ever.' }),
  }),
  output: z.object({ version: z.int() }),
  example: { key: 'last-sync', value: '2026-03-02' },
  async run({ input, platform, now }) {
    if (!platform) throw new Error('This step needs the platform');
    const expiresAt = input.days === 0 ? null : new Date(now().getTime() + input.days * DAY_MS);
    const { collection, key, value } = input;
    return { output: await platform.keep({ collection, key, value, expiresAt }) };
  },
});
