import { z } from 'zod';

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'Use letters, digits and dashes.');

/** Where a body's fields are looked for: `data.id`, `events.0.id`. */
const path = z
  .string()
  .max(200)
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'Write names with dots between them, such as data.id.');

const signedByHmac = { field: 'scheme', is: ['hmac'] } as const;

/** What the person who draws decides about a webhook. Every field may be left out: then it is what it has always been. */
export const webhookConfigSchema = z.object({
  name: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .meta({ title: 'Name', description: 'Who posts to it, for example "Bank feed".' }),
  scheme: z
    .enum(['standard', 'hmac', 'header', 'basic', 'stripe', 'github', 'intuit', 'xero', 'procore', 'slack', 'twilio'])
    .default('standard')
    .meta({
      title: 'How the sender proves itself',
      description: 'Choose the sender when it is listed; else what its documentation says.',
      labels: {
        standard: 'Standard Webhooks',
        hmac: 'A signature in a header (HMAC)',
        header: 'A secret in a header',
        basic: 'User name and password',
        stripe: 'Stripe',
        github: 'GitHub, and who signs like it',
        intuit: 'QuickBooks Online (Intuit)',
        xero: 'Xero',
        procore: 'Procore',
        slack: 'Slack',
        twilio: 'Twilio',
      },
    }),
  signatureHeader: headerName
    .default('X-Signature')
    .meta({ title: 'Header of the signature', shownWhen: signedByHmac }),
  algorithm: z
    .enum(['sha256', 'sha512', 'sha1'])
    .default('sha256')
    .meta({ title: 'Hash', shownWhen: signedByHmac, labels: { sha256: 'SHA-256', sha512: 'SHA-512', sha1: 'SHA-1' } }),
  encoding: z
    .enum(['hex', 'base64'])
    .default('hex')
    .meta({ title: 'Written as', shownWhen: signedByHmac, labels: { hex: 'Hexadecimal', base64: 'Base64' } }),
  signaturePrefix: z.string().max(40).optional().meta({
    title: 'Before the signature',
    description: 'For example "sha256=".',
    shownWhen: signedByHmac,
  }),
  timestampHeader: headerName.optional().meta({
    title: 'Header of the time',
    description:
      'Where the sender signs "time.body" with the time in seconds; deliveries five minutes off are refused.',
    shownWhen: signedByHmac,
  }),
  secretHeader: headerName
    .default('X-Webhook-Secret')
    .meta({ title: 'Header of the secret', shownWhen: { field: 'scheme', is: ['header'] } }),
  userName: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^:]*$/, 'A user name has no colon in it.')
    .default('plumbline')
    .meta({ title: 'User name', shownWhen: { field: 'scheme', is: ['basic'] } }),
  body: z
    .enum(['json', 'form', 'text', 'xml'])
    .optional()
    .meta({
      title: 'What is posted',
      description: 'JSON, unless you choose otherwise (Twilio posts a form).',
      labels: { json: 'JSON', form: 'A form', text: 'Plain text', xml: 'XML, handed on as text' },
    }),
  answer: z
    .enum(['at_once', 'flow'])
    .default('at_once')
    .meta({
      title: 'Answer',
      description:
        'The step "Answer the webhook" says what; after 10 seconds the sender is told that it is being worked on.',
      labels: { at_once: 'At once', flow: 'When the flow responds' },
    }),
  idPath: path.optional().meta({
    title: 'Where its id is in the body',
    description:
      'What comes again with the same id starts nothing. Without any, the same content counts as the same delivery.',
    advanced: true,
  }),
  idHeader: headerName.optional().meta({
    title: 'Header of its id',
    description: 'Only when the body has none: a header is rarely signed. A delivery without it is refused.',
    advanced: true,
  }),
  perMinute: z.int().min(1).max(36_000).optional().meta({
    title: 'At most so many a minute',
    description: 'What is over is answered with 429; the sender tries again.',
    advanced: true,
  }),
});

export type WebhookConfig = z.infer<typeof webhookConfigSchema>;
