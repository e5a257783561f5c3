import { Hono } from 'hono';
import { z } from 'zod';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { DEMO_OWNER } from '../auth/demo.ts';
import { readActor, type Actor, type ActorEnv } from '../auth/session.ts';
import type { Me, SignInOptions } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

/** Sign-in and sign-out, without a session. */
export function sessionRoutes(services: Services) {
  const { auth } = services;

  const signIn = async (c: Context, email: string, password: string): Promise<Response> => {
    const answer = await auth.api.signInEmail({
      body: { email, password },
      headers: c.req.raw.headers,
      asResponse: true,
    });
    if (!answer.ok)
      throw new ApiError(
        answer.status === 429 ? 'too_many_requests' : 'credentials_invalid',
        'E-mail or password is wrong.',
        { fix: 'Check both and try again.' },
      );
    const cookies = answer.headers.getSetCookie();
    for (const cookie of cookies) c.header('Set-Cookie', cookie, { append: true });
    const actor = await readActor(
      auth,
      services.authPool,
      new Headers({ cookie: cookies.map((cookie) => cookie.split(';', 1)[0]).join('; ') }),
    );
    return c.json(await toMe(services, actor));
  };

  return new Hono<ActorEnv>()
    .get('/', async (c) => {
      const session = await auth.api.getSession({ headers: c.req.raw.headers });
      const demo = services.settings.PLUMBLINE_DEMO && isLoopback(c);
      return c.json({ demo, signedIn: session !== null } satisfies SignInOptions);
    })
    .post('/', valid('json', z.strictObject({ email: z.email(), password: z.string().max(256) })), async (c) => {
      const { email, password } = c.req.valid('json');
      return (await signIn(c, email, password)) as never;
    })
    .post('/demo', async (c) => {
      // The demo needs no password, so it is there only for someone at this very machine.
      if (!services.settings.PLUMBLINE_DEMO || !isLoopback(c))
        throw new ApiError('not_found', 'There is no demo here.');
      return (await signIn(c, DEMO_OWNER.email, DEMO_OWNER.password)) as never;
    })
    .delete('/', async (c) => {
      const answer = await auth.api.signOut({ headers: c.req.raw.headers, asResponse: true });
      for (const cookie of answer.headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
      return c.body(null, 204);
    });
}

/** Who is signed in, and for which company. */
export function meRoutes(services: Services) {
  return new Hono<ActorEnv>()
    .get('/', async (c) => c.json(await toMe(services, c.get('actor'))))
    .post('/company', valid('json', z.strictObject({ companyId: z.uuid() })), async (c) => {
      const { companyId } = c.req.valid('json');
      const actor = c.get('actor');
      const membership = actor.memberships.find((candidate) => candidate.companyId === companyId);
      if (!membership) throw new ApiError('not_found', 'There is no such company.');
      await services.auth.api.setActiveOrganization({
        body: { organizationId: companyId },
        headers: c.req.raw.headers,
      });
      return c.json(await toMe(services, { ...actor, companyId, role: membership.role }));
    });
}

async function toMe(services: Services, actor: Actor): Promise<Me> {
  const company = await services.deps.store.tenant(actor.companyId, (tx) =>
    tx.selectFrom('companies').selectAll().where('id', '=', actor.companyId).executeTakeFirstOrThrow(),
  );
  return {
    user: { id: actor.userId, name: actor.name, email: actor.email },
    company: {
      id: company.id,
      name: company.name,
      slug: company.slug,
      timeZone: company.time_zone,
      currency: company.currency,
    },
    role: actor.role,
    companies: actor.memberships.map(({ companyId: id, companyName: name, role }) => ({ id, name, role })),
  };
}

function isLoopback(c: Context): boolean {
  try {
    const address = getConnInfo(c).remote.address ?? '';
    return /^(127\.|::1$|::ffff:127\.)/.test(address) && !c.req.header('x-forwarded-for');
  } catch {
    return false; // no socket: a test's app.request
  }
}
