import { DEPTH_HEADER, DEPTH_MAX, depthOf, verifyDelivery, type Verdict } from '@plumbline/nodes';
import { Hono } from 'hono';
import type { ActorEnv } from '../auth/session.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { toResponse, withoutAnswer } from './answer-response.ts';
import { deliveryId } from './delivery-id.ts';
import { EndpointLimit } from './endpoint-limit.ts';
import { Endpoints, validSecrets, type Endpoint } from './endpoints.ts';
import { answerHandshake } from './handshake.ts';
import { limitBody } from './limit-body.ts';
import { limitTime } from './limit-time.ts';
import { readBody } from './read-body.ts';

/** How long a sender is kept waiting for the flow's own answer. */
const ANSWER_MS = 10_000;
/** The database tells of outcomes a little longer than that: its clock is another. */
const AWAITED_MS = 15_000;

/**
 * Where other systems post to: `POST /hooks/<key>`. Verified on the raw bytes, stored, then acknowledged; whether the flow is healthy is looked at later.
 * How a sender proves itself is the trigger's choice; the same delivery starts one run, however often it comes.
 * @see https://www.standardwebhooks.com
 */
export function webhookIngress(services: Services) {
  const { deps, dispatcher, inbox, answers, refusals, settings } = services;
  const endpoints = new Endpoints(dispatcher, deps);
  const limit = new EndpointLimit(settings.PLUMBLINE_WEBHOOKS_PER_SECOND);

  return new Hono<ActorEnv>()
    .post('/:key', limitTime(10), limitBody(2), async (c) => {
      const key = c.req.param('key');
      const found = await endpoints.find(key);
      if (!found) throw notFound('webhook address');
      requirePace(limit.take(key, deps.now(), found.config.perMinute));
      requireNoLoop(c.req.header(DEPTH_HEADER));
      if (c.req.header('content-encoding'))
        throw new ApiError('unsupported_media_type', 'Compressed bodies are not accepted.', {
          fix: 'Send the body without Content-Encoding.',
        });
      const raw = new Uint8Array(await c.req.arrayBuffer());
      let endpoint = found;
      const { pathname, search } = new URL(c.req.url);
      // The address that was given to the sender, whatever name the request came by.
      const delivery = { headers: c.req.raw.headers, body: raw, url: settings.PLUMBLINE_ORIGIN + pathname + search };
      let verdict = verify(endpoint, delivery);
      if (!verdict.ok) {
        // The secret may have been changed a moment ago.
        const again = await endpoints.findAgain(key);
        if (again) verdict = verify((endpoint = again), delivery);
      }
      if (!verdict.ok) {
        refusals.count(endpoint, verdict.code, deps.now());
        // Xero asks for a bare 401.
        if (endpoint.config.scheme === 'xero') return c.body(null, 401);
        throw refusal(endpoint, verdict.code);
      }
      const { config, companyId } = endpoint;
      const body = readBody(
        config.body ?? (config.scheme === 'twilio' ? 'form' : 'json'),
        c.req.header('content-type'),
        raw,
      );
      const handshake = answerHandshake(config.scheme, body);
      if (handshake) return handshake;
      const { headers } = c.req.raw;
      const dedupeKey = deliveryId({ config, signedId: verdict.id, headers, body, raw, search });
      const awaited = config.answer === 'flow';
      const stored = await inbox.submit(companyId, {
        kind: 'webhook',
        key,
        dedupeKey,
        data: { headers: shownHeaders(headers, endpoint.withheld), query: c.req.query(), body },
        ...(awaited ? { awaitedUntil: new Date(deps.now().getTime() + AWAITED_MS) } : {}),
      });
      const { duplicate } = stored;
      deps.crashPoint?.('after-event-stored', dedupeKey);
      if (!awaited) return c.json({ accepted: true, duplicate }, 200);
      const eventId = stored.id ?? (await answers.eventId(companyId, key, dedupeKey));
      if (eventId === undefined) return c.json({ accepted: true, duplicate }, 202);
      const outcome = await answers.wait(companyId, eventId, ANSWER_MS);
      return outcome.kind === 'answered' ? toResponse(outcome.answer) : withoutAnswer(outcome, duplicate);
    })
    .all('/:key', () => {
      throw new ApiError('method_not_allowed', 'This address takes POST only.', { headers: { Allow: 'POST' } });
    });

  function verify(endpoint: Endpoint, delivery: Omit<Parameters<typeof verifyDelivery>[2], 'now'>) {
    return verifyDelivery(endpoint.scheme, validSecrets(endpoint, deps.now()), { ...delivery, now: deps.now() });
  }
}

function requirePace(waitSeconds: number): void {
  if (waitSeconds === 0) return;
  throw new ApiError('too_many_requests', 'More is posted to this address than it takes.', {
    fix: 'Wait as long as Retry-After says, and send it again.',
    headers: { 'Retry-After': String(waitSeconds) },
  });
}

/** Flows may call each other's addresses, but not in a circle. */
function requireNoLoop(depth: string | undefined): void {
  if (depthOf(depth) <= DEPTH_MAX) return;
  throw new ApiError(
    'loop_detected',
    `This call is the end of a chain of more than ${DEPTH_MAX} flows that call each other.`,
    {
      fix: 'Look for flows whose calls lead back to themselves, and break the circle.',
    },
  );
}

function refusal({ scheme }: Endpoint, code: Extract<Verdict, { readonly ok: false }>['code']): ApiError {
  if (code === 'timestamp_out_of_range')
    return new ApiError(code, 'The time of the delivery is missing or more than five minutes off.', {
      fix: 'Send the current time in seconds, and check your clock.',
    });
  if (code === 'delivery_id_invalid')
    return new ApiError(
      code,
      'The id in the header "webhook-id" has a dot, a blank or other characters an id cannot have.',
      {
        fix: 'Use 1 to 256 letters, digits and signs of ASCII, without dots: Standard Webhooks sign "id.timestamp.body".',
      },
    );
  if (scheme.kind === 'header' || scheme.kind === 'basic')
    return new ApiError('signature_invalid', 'The secret of this address is missing or another one.', {
      fix:
        scheme.kind === 'basic'
          ? 'Send the user name and the secret of this address as basic authentication.'
          : `Send the secret of this address in the header "${scheme.header}".`,
    });
  return new ApiError('signature_invalid', 'The signature does not match the body.', {
    fix:
      scheme.kind === 'standard'
        ? 'Sign "id.timestamp.body" over the exact bytes with this address’s secret.'
        : 'Sign the exact bytes with this address’s secret, in the way that its trigger says.',
  });
}

/** Headers a mapping may read; what proves the sender is not among them. The depth comes first, so that no number of others drops it. */
function shownHeaders(headers: Headers, withheld: ReadonlySet<string>): Record<string, string> {
  const depth = headers.get(DEPTH_HEADER);
  const others = [...headers].filter(([name]) => name !== DEPTH_HEADER && !withheld.has(name)).slice(0, 64);
  return Object.fromEntries(depth === null ? others : [[DEPTH_HEADER, depth], ...others]);
}
