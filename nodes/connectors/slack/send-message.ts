import { z } from 'zod';
import { ConnectorFailure, defineAction, type VendorHttp } from '../../sdk/index.ts';
import { listAllChannels } from './channels.ts';
import { findMessage } from './find-message.ts';
import { escapeText, messageMetadata } from './message-metadata.ts';

/** Slack cuts longer texts off, without a word. */
const TEXT_MAX = 40_000;

/**
 * Posts a message. `&`, `<` and `>` are escaped, so text from a record cannot mention `<!channel>` or disguise a link.
 * When the answer is lost, the message is looked for by the key in its metadata rather than sent again.
 */
export const sendMessage = defineAction({
  id: 'slack.send-message',
  title: 'Send a message to a channel',
  description: 'Posts a text where the team reads it.',
  category: 'Communication',
  icon: 'message-square',
  effect: 'create',
  source: 'https://docs.slack.dev/reference/methods/chat.postMessage',
  input: z.object({
    channel: z.string().min(1).max(100).meta({ title: 'Channel', optionsFrom: 'channels' }),
    text: z
      .string()
      .min(1)
      .max(TEXT_MAX)
      .meta({ title: 'Text', multiline: true, description: 'Plain text; *bold* and _italic_ work.' }),
  }),
  output: z.object({ channel: z.string(), ts: z.string() }),
  example: { channel: 'C07000002', text: 'Bill PE-2041 of Pisgah Electric is in QuickBooks: $1,234.10' },
  async run({ http, input, idempotencyKey }) {
    const text = escapeText(input.text);
    if (text.length > TEXT_MAX)
      throw new ConnectorFailure({
        kind: 'invalid',
        code: 'msg_too_long',
        message: `The message has ${text.length} characters; Slack takes ${TEXT_MAX}. Shorten it and retry.`,
      });
    const output = await http.send({
      method: 'POST',
      path: '/chat.postMessage',
      json: { channel: input.channel, text, metadata: messageMetadata(idempotencyKey) },
      answer: z.object({ channel: z.string(), ts: z.string() }),
    });
    return { output };
  },
  async findExisting({ http, input, idempotencyKey, now }) {
    const channel = await channelId(http, input.channel);
    const ts = await findMessage(http, { channel, key: idempotencyKey, now: now() });
    return ts === undefined ? undefined : { output: { channel, ts } };
  },
  /** @see https://docs.slack.dev/reference/methods/chat.delete */
  undo: {
    title: 'Deletes the message',
    async run({ http, input: { output } }) {
      await http.send({ method: 'POST', path: '/chat.delete', json: output, answer: z.object({ ts: z.string() }) });
    },
  },
});

/** Posting takes a name as well as an id; reading takes an id only. */
async function channelId(http: VendorHttp, channel: string): Promise<string> {
  if (/^[CGD][A-Z0-9]{6,}$/.test(channel)) return channel;
  const name = channel.replace(/^#/, '');
  const found = (await listAllChannels(http)).find((candidate) => candidate.name === name);
  if (found) return found.id;
  throw new ConnectorFailure({
    kind: 'not_found',
    code: 'channel_not_found',
    message: `Slack has no open channel called "${name}". Choose another one.`,
  });
}
