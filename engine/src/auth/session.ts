import { createMiddleware } from 'hono/factory';
import type { Pool } from 'pg';
import type { Role } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import type { Auth } from './auth.ts';
import { membershipsOf, type Membership } from './people.ts';
import { may, type Right } from './roles.ts';

/** Who is asking, and for which company. */
export interface Actor {
  readonly userId: string;
  readonly sessionId: string;
  readonly name: string;
  readonly email: string;
  readonly companyId: string;
  readonly role: Role;
  readonly memberships: readonly Membership[];
}

export interface ActorEnv {
  Variables: { actor: Actor; requestId: string };
}

/**
 * Reads the session. Membership is read with every request, so that a removed member is out at once.
 * @throws ApiError `signed_out`
 */
export async function readActor(auth: Auth, pool: Pool, headers: Headers): Promise<Actor> {
  const session = await auth.api.getSession({ headers });
  if (!session) throw new ApiError('signed_out', 'You are not signed in.', { fix: 'Sign in again.' });
  const memberships = await membershipsOf(pool, session.user.id);
  const active =
    memberships.find((membership) => membership.companyId === session.session.activeOrganizationId) ?? memberships[0];
  if (!active)
    throw new ApiError('forbidden', 'You belong to no company.', {
      fix: 'Ask an owner of your company to invite you.',
    });
  return {
    userId: session.user.id,
    sessionId: session.session.id,
    name: session.user.name,
    email: session.user.email,
    companyId: active.companyId,
    role: active.role,
    memberships,
  };
}

/** Refuses requests without a session, and puts the actor in the context. */
export function requireActor(auth: Auth, pool: Pool) {
  return createMiddleware<ActorEnv>(async (c, next) => {
    c.set('actor', await readActor(auth, pool, c.req.raw.headers));
    await next();
  });
}

/** Refuses an actor whose role lacks the right. */
export function requireRight(right: Right) {
  return createMiddleware<ActorEnv>(async (c, next) => {
    const { role } = c.get('actor');
    if (!may(role, right))
      throw new ApiError('forbidden', `A ${role} may not do this.`, { fix: 'Ask an admin of your company.' });
    await next();
  });
}

/**
 * A browser says where a request comes from; what comes from elsewhere changes nothing here. Programs without a browser send neither header.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function requireSameOrigin(origin: string) {
  return createMiddleware(async (c, next) => {
    const sent = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    const changes = !['GET', 'HEAD', 'OPTIONS'].includes(c.req.method);
    if (
      changes &&
      ((sent !== undefined && sent !== origin) || (site !== undefined && site !== 'same-origin' && site !== 'none'))
    )
      throw new ApiError('origin_forbidden', 'This request came from another site.', {
        fix: `Open ${origin} and try again there.`,
      });
    await next();
  });
}
