import type { WebhookConfig } from '@plumbline/nodes';

/**
 * What some vendors post only to see whether anybody checks signatures: an answer to that, and no event. The signature has been checked by then.
 * @returns undefined for a delivery that means something
 */
export function answerHandshake(scheme: WebhookConfig['scheme'], body: unknown): Response | undefined {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  // Xero's intent to receive: an empty answer within five seconds, for the right signature only.
  if (scheme === 'xero' && Array.isArray(fields['events']) && fields['events'].length === 0)
    return new Response(null, { status: 200 });
  // https://docs.slack.dev/reference/events/url_verification
  if (scheme === 'slack' && fields['type'] === 'url_verification' && typeof fields['challenge'] === 'string')
    return Response.json({ challenge: fields['challenge'] });
  return undefined;
}
