import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';

/** Starts when another system posts to an address of its own, signed as Standard Webhooks say. */
export const node = defineTrigger({
  id: 'core.webhook',
  title: 'A webhook arrives',
  description: 'Another system posts JSON to an address made for this flow.',
  category: 'Triggers',
  icon: 'webhook',
  source: 'https://www.standardwebhooks.com',
  input: z.object({
    name: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .meta({ title: 'Name', description: 'Who posts to it, for example "Bank feed".' }),
  }),
  output: z.object({
    headers: z.record(z.string(), z.string()),
    query: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  subscription: { kind: 'webhook' },
});
