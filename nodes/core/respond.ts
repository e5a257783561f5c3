import { z } from 'zod';
import { checkAnswerHeaders, defineAction } from '../sdk/index.ts';

/**
 * Answers the sender of the webhook that started the run. The first answer stands: a second step, a repeat of the step or of the run change nothing, and
 * where nobody waits any more it is kept for a repeated delivery.
 *
 * Fails with `header_forbidden` when a header is set that frames the answer or acts on our own address.
 */
export const node = defineAction({
  id: 'core.respond',
  title: 'Answer the webhook',
  description: 'Says what the sender gets back, when the trigger answers with the flow.',
  category: 'Network',
  icon: 'reply',
  effect: 'upsert',
  source: 'https://www.rfc-editor.org/rfc/rfc9110#name-status-codes',
  input: z.object({
    status: z.int().min(200).max(599).default(200).meta({ title: 'Status', description: '200 is "all right".' }),
    body: z
      .json()
      .optional()
      .meta({ title: 'Body', description: 'Text is sent as text, anything else as JSON.', multiline: true }),
    headers: z.record(z.string(), z.string().max(4_000)).optional().meta({ title: 'Headers', advanced: true }),
  }),
  output: z.object({ status: z.number(), first: z.boolean() }),
  async run({ input: { status, body = null, headers = {} }, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    checkAnswerHeaders(headers);
    const { first } = await platform.respond({ status, headers, body });
    return { output: { status, first } };
  },
});
