import { z } from 'zod';
import { ConnectorFailure, isConnectorFailure, type VendorHttp } from '../../sdk/index.ts';
import { EVENT_TYPE } from './message-metadata.ts';

const PAGE_MESSAGES = 200;
const MAX_PAGES = 10;

/** A lost answer is asked about within minutes; this leaves a week for a person to press "retry". */
const LOOK_BACK_SECONDS = 7 * 86_400;

const answer = z.object({
  messages: z.array(
    z.object({
      ts: z.string(),
      metadata: z.object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) }).optional(),
    }),
  ),
  has_more: z.boolean().optional(),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

/**
 * Finds our message by the key in its metadata; its `ts`, or undefined when it is certainly not among the last week's.
 * Reading a channel takes a member, which posting does not: we join when we are not.
 * @throws ConnectorFailure `ambiguous` when the channel is too busy to be read to the end
 */
export async function findMessage(
  http: VendorHttp,
  wanted: { readonly channel: string; readonly key: string; readonly now: Date },
): Promise<string | undefined> {
  const { channel, key, now } = wanted;
  const oldest = String(Math.floor(now.getTime() / 1_000) - LOOK_BACK_SECONDS);
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { messages, response_metadata: more } = await joining(http, channel, () =>
      http.send({
        method: 'GET',
        path: '/conversations.history',
        query: { channel, include_all_metadata: 'true', limit: PAGE_MESSAGES, oldest, cursor },
        answer,
      }),
    );
    const found = messages.find(
      ({ metadata }) => metadata?.event_type === EVENT_TYPE && metadata.event_payload['key'] === key,
    );
    if (found) return found.ts;
    cursor = more?.next_cursor || undefined;
    if (!cursor) return undefined;
  }
  throw new ConnectorFailure({
    kind: 'ambiguous',
    code: 'history_too_long',
    message: `Slack’s channel ${channel} has too many messages to find out whether ours is there. Look for it; skip the step if it is, retry if it is not.`,
  });
}

async function joining<T>(http: VendorHttp, channel: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isConnectorFailure(error) || error.code !== 'not_in_channel') throw error;
    // Joining twice is the same as once.
    await http.send({
      method: 'POST',
      path: '/conversations.join',
      json: { channel },
      mutates: false,
      answer: z.object({ ok: z.literal(true) }),
    });
    return await read();
  }
}
