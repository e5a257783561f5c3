import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { atMost, atMostFields } from './at-most.ts';
import { textField } from './text-field.ts';

const segment = '[A-Za-z_][A-Za-z0-9_-]*';

/**
 * Waits until a webhook arrives that says what is waited for: an envelope was signed, a permit was issued, a job is through; or until its time is up,
 * whichever comes first. It is enough that it came since the run began: who answers quickly may do so before this step waits.
 *
 * Fails with `webhook_unknown` when no flow has, or had, a webhook of that address.
 */
export const node = defineHold({
  id: 'core.wait-for-webhook',
  title: 'Wait until a webhook arrives',
  description: 'Goes on when another system says that it is done, or when its time is up.',
  category: 'Logic',
  icon: 'webhook',
  input: z.object({
    address: z
      .string()
      .max(500)
      .regex(/^(https?:\/\/\S+\/hooks\/)?[A-Za-z0-9_-]{20,64}$/, 'use the address of a webhook of one of your flows')
      .meta({
        title: 'Address',
        description:
          'That of a flow which begins with "A webhook arrives", and is on: it says how the sender proves itself. That flow may do nothing else.',
      }),
    field: z
      .string()
      .max(200)
      .regex(new RegExp(`^${segment}(\\.${segment}){0,7}$`), 'use a field such as envelopeId or data.id')
      .default('id')
      .meta({ title: 'Field', description: 'Where in the body the sender says which one: data.envelopeId' }),
    equals: textField({
      max: 400,
      title: 'Which one',
      description: 'What stands in that field of the webhook it waits for: the id that an earlier step was given.',
    }),
    ...atMostFields,
  }),
  output: z.object({ happened: z.boolean(), body: z.unknown(), headers: z.unknown() }),
  ports: [
    { id: 'out', title: 'It arrived' },
    { id: 'timeout', title: 'Time is up' },
  ],
  example: { address: 'https://plumbline.example/hooks/3f1b0c9d7e5a4b2c8d6e', field: 'envelopeId', equals: 'env-7' },
  async open({ input, platform, now }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.expectWebhook({
      key: input.address.slice(input.address.lastIndexOf('/') + 1),
      path: ['body', ...input.field.split('.')],
      value: input.equals,
    });
    return atMost(input, now());
  },
  close: (_, end) => {
    if (end.kind !== 'answered') return { output: { happened: false, body: null, headers: null }, port: 'timeout' };
    const { body = null, headers = null } = end.answer as { readonly body?: unknown; readonly headers?: unknown };
    return { output: { happened: true, body, headers } };
  },
});
