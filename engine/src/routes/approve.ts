import { getConnInfo } from '@hono/node-server/conninfo';
import { decide, requireOpen } from '@plumbline/workflows/approvals/decide';
import { hashToken, isToken, readLink, unknownLink, useLink } from '@plumbline/workflows/approvals/links';
import { ApprovalRefusal } from '@plumbline/workflows/approvals/refusal';
import { lockApproval, seatsOf, type SeatRow } from '@plumbline/workflows/approvals/row';
import { Hono, type Context } from 'hono';
import { questionOf } from '../approvals/question.ts';
import type { ActorEnv } from '../auth/session.ts';
import type { LinkedQuestion } from '../contract/index.ts';
import { EndpointLimit } from '../ingress/endpoint-limit.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';
import { decisionBody } from './tasks.ts';

/** Requests a second from one address, behind which may be a whole office or a proxy; twice as many may come at once. */
const PER_ADDRESS = 30;
/** The same about one link. */
const PER_LINK = 5;

/**
 * Where somebody without an account decides: the token in the address is all the authority there is, and no cookie is looked at, so there is nothing
 * that another site could make a browser send along. Looking never decides: mail scanners open every link. The token is good for one decision.
 */
export function approveRoutes({ deps, dispatcher }: Services) {
  const addresses = new EndpointLimit(PER_ADDRESS);
  const links = new EndpointLimit(PER_LINK);

  const requirePace = (c: Context, token: string): void => {
    const wait = Math.max(
      addresses.take(remoteAddress(c), deps.now(), undefined),
      links.take(hashToken(token).toString('base64url'), deps.now(), undefined),
    );
    if (wait > 0)
      throw new ApiError('too_many_requests', 'Too many requests about this link.', {
        fix: `Try again in ${wait} s.`,
        headers: { 'Retry-After': String(wait) },
      });
  };

  const companyOf = async (token: string): Promise<string> => {
    const found = isToken(token) ? await dispatcher.findApprovalLink(hashToken(token)) : undefined;
    if (!found) throw unknownLink();
    return found.companyId;
  };

  return new Hono<ActorEnv>()
    .use(async (c, next) => {
      await next();
      c.header('Cache-Control', 'no-store');
      c.header('Referrer-Policy', 'no-referrer');
      c.header('X-Robots-Tag', 'noindex, nofollow');
    })
    .get('/:token', async (c) => {
      const token = c.req.param('token');
      requirePace(c, token);
      const companyId = await companyOf(token);
      return c.json(
        await deps.store.tenant(companyId, async (tx): Promise<LinkedQuestion> => {
          const { approvalId, seatId } = await readLink(tx, companyId, token, deps.now());
          const approval = await lockApproval(tx, companyId, approvalId);
          await requireOpen(tx, approval, deps.now());
          const seat = requireSeat(await seatsOf(tx, companyId, approvalId), seatId);
          const company = await tx
            .selectFrom('companies')
            .select(['name', 'currency', 'time_zone'])
            .where('id', '=', companyId)
            .executeTakeFirstOrThrow();
          return {
            ...questionOf(approval),
            companyName: company.name,
            currency: company.currency,
            timeZone: company.time_zone,
            name: seat.name,
          };
        }),
      );
    })
    .post('/:token', valid('json', decisionBody), async (c) => {
      const token = c.req.param('token');
      requirePace(c, token);
      const companyId = await companyOf(token);
      const now = deps.now();
      await deps.store.tenant(companyId, async (tx) => {
        const { approvalId, seatId } = await readLink(tx, companyId, token, now);
        const email = (await seatsOf(tx, companyId, approvalId)).find(({ id }) => id === seatId)?.email ?? '';
        const chooseSeat = (seats: readonly SeatRow[]) => ({ seat: requireSeat(seats, seatId), instead: false });
        const decider = { name: email, email, way: 'link' as const, chooseSeat };
        await decide(tx, { companyId, approvalId }, decider, c.req.valid('json'), now);
        await useLink(tx, companyId, token, now);
      });
      return c.body(null, 204);
    });
}

function requireSeat(seats: readonly SeatRow[], seatId: string): SeatRow {
  const seat = seats.find(({ id }) => id === seatId);
  if (!seat || seat.status === 'closed' || seat.status === 'delegated')
    throw new ApprovalRefusal(
      'approval_over',
      'You are no longer asked: others have decided, or it was handed on.',
      'Nothing more is to be done.',
    );
  return seat;
}

/** Who is on the other end of the line; of requests that came without one (in tests) all are one. */
function remoteAddress(c: Context): string {
  try {
    return getConnInfo(c).remote.address ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
