import { z } from 'zod';
import { defineTrigger, webhookConfigSchema } from '../sdk/index.ts';

/**
 * Starts when another system posts to an address of its own. How the sender proves itself, what it posts and when it is answered are choices of the
 * trigger; with none made it takes JSON signed as Standard Webhooks say, as it has from the start, so this is still version 1.
 */
export const node = defineTrigger({
  id: 'core.webhook',
  title: 'A webhook arrives',
  description: 'Another system posts to an address made for this flow.',
  category: 'Triggers',
  icon: 'webhook',
  source: 'https://www.standardwebhooks.com',
  input: webhookConfigSchema,
  output: z.object({
    headers: z.record(z.string(), z.string()),
    query: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  subscription: { kind: 'webhook' },
});
