import { verifyStandardWebhook } from '@plumbline/nodes';
import { Hono } from 'hono';
import type { ActorEnv } from '../auth/session.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { Endpoints } from './endpoints.ts';
import { parseJson } from './json.ts';
import { limitBody } from './limit-body.ts';

/**
 * Where other systems post to: `POST /hooks/<key>`. Verified on the raw bytes, stored, then acknowledged; whether the flow is healthy is looked at later.
 * Signed as Standard Webhooks say; the same `webhook-id` starts one run, however often it comes.
 * @see https://www.standardwebhooks.com
 */
export function webhookIngress(services: Services) {
  const { deps, dispatcher, inbox } = services;
  const endpoints = new Endpoints(dispatcher, deps);
  return new Hono<ActorEnv>()
    .post('/:key', limitBody(2), async (c) => {
      const endpoint = await endpoints.find(c.req.param('key'));
      if (!endpoint) throw notFound('webhook address');
      if (c.req.header('content-encoding'))
        throw new ApiError('unsupported_media_type', 'Compressed bodies are not accepted.', {
          fix: 'Send the body without Content-Encoding.',
        });
      const raw = new Uint8Array(await c.req.arrayBuffer());
      const id = verify(endpoint.secret, c.req.raw.headers, raw, deps.now());
      const body = parseBody(c.req.header('content-type'), raw);
      const { duplicate } = await inbox.submit(endpoint.companyId, {
        kind: 'webhook',
        key: c.req.param('key'),
        dedupeKey: id,
        data: { headers: safeHeaders(c.req.raw.headers), query: c.req.query(), body },
      });
      deps.crashPoint?.('after-event-stored', id);
      services.look();
      return c.json({ accepted: true, duplicate }, 200);
    })
    .all('/:key', () => {
      throw new ApiError('method_not_allowed', 'This address takes POST only.', { headers: { Allow: 'POST' } });
    });
}

/** The delivery's id, once its signature holds. */
function verify(secret: string, headers: Headers, raw: Uint8Array, now: Date): string {
  const verdict = verifyStandardWebhook({ secret, headers, body: raw, now });
  if (verdict.ok) return verdict.id;
  if (verdict.code === 'timestamp_out_of_range')
    throw new ApiError('timestamp_out_of_range', 'The webhook-timestamp is missing or more than five minutes off.', {
      fix: 'Send the current time in seconds, and check your clock.',
    });
  throw new ApiError('signature_invalid', 'The signature does not match the body.', {
    fix: 'Sign "id.timestamp.body" over the exact bytes with this address’s secret.',
  });
}

function parseBody(contentType: string | undefined, raw: Uint8Array): unknown {
  const [type = '', parameter = ''] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type !== 'application/json' && !type.endsWith('+json'))
    throw new ApiError('unsupported_media_type', `The body is "${type || 'of no type'}", not JSON.`, {
      fix: 'Send Content-Type: application/json.',
    });
  if (parameter.startsWith('charset=') && parameter !== 'charset=utf-8')
    throw new ApiError('unsupported_media_type', 'JSON is sent in UTF-8.', { fix: 'Leave out the charset.' });
  return parseJson(raw);
}

const withheld = new Set(['authorization', 'cookie', 'proxy-authorization', 'webhook-signature']);

/** Headers a mapping may read; credentials are not among them. */
function safeHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !withheld.has(name)).slice(0, 64));
}
