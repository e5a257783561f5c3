import { createPool } from '@plumbline/db';
import { betterAuth } from 'better-auth';
import { organization } from 'better-auth/plugins';
import { accessControl, roles } from './roles.ts';

export interface AuthOptions {
  readonly databaseUrl: string;
  readonly secret: string;
  readonly origin: string;
  readonly secureCookies: boolean;
}

/** Users, sessions, companies and members, kept by better-auth in the schema `auth`, which no other role reads. */
export function createAuth(options: AuthOptions) {
  const pool = createPool(options.databaseUrl, { searchPath: 'auth', max: 5 });
  const auth = betterAuth({
    baseURL: options.origin,
    basePath: '/api/auth',
    secret: options.secret,
    database: pool,
    trustedOrigins: [options.origin],
    user: { modelName: 'users' },
    session: { modelName: 'sessions', expiresIn: 60 * 60 * 24 * 14, updateAge: 60 * 60 * 24 },
    account: { modelName: 'accounts' },
    verification: { modelName: 'verifications' },
    // People join by invitation; the first owner is made by `plumbline company create` or the demo.
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10 },
    plugins: [
      organization({
        ac: accessControl,
        roles,
        creatorRole: 'owner',
        allowUserToCreateOrganization: false,
        schema: {
          organization: { modelName: 'organizations' },
          member: { modelName: 'members' },
          invitation: { modelName: 'invitations' },
        },
      }),
    ],
    advanced: {
      cookiePrefix: 'plumbline',
      useSecureCookies: options.secureCookies,
      defaultCookieAttributes: { sameSite: 'lax', httpOnly: true, path: '/' },
      database: { generateId: 'uuid' },
    },
    telemetry: { enabled: false },
    logger: { level: 'error' },
  });
  return { auth, pool, close: () => pool.end() };
}

export type Auth = ReturnType<typeof createAuth>['auth'];
