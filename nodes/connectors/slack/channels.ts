import { z } from 'zod';
import type { VendorHttp } from '../../sdk/index.ts';

/** @see https://docs.slack.dev/reference/objects/conversation-object */
export const channelSchema = z.object({ id: z.string(), name: z.string() });

/** As many as Slack recommends for one page. */
const PAGE_CHANNELS = 200;
const MAX_CHANNELS = 10_000;

const answer = z.object({
  channels: z.array(channelSchema),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

/** All open, unarchived channels of the workspace, over as many pages as there are; at most 10,000. */
export async function listAllChannels(http: VendorHttp): Promise<z.infer<typeof channelSchema>[]> {
  const channels: z.infer<typeof channelSchema>[] = [];
  let cursor: string | undefined;
  do {
    const page = await http.send({
      method: 'GET',
      path: '/conversations.list',
      query: { limit: PAGE_CHANNELS, exclude_archived: 'true', types: 'public_channel', cursor },
      answer,
    });
    channels.push(...page.channels);
    cursor = page.response_metadata?.next_cursor || undefined;
  } while (cursor && channels.length < MAX_CHANNELS);
  return channels;
}
