import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { appendAudit } from '@plumbline/db/queries/audit';
import { json, type Sealed } from '@plumbline/db';
import type { Connector, TokenAnswer } from '@plumbline/nodes';
import { requestToken } from '@plumbline/workflows/activities/token-request';
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi';
import type { Actor } from '../auth/session.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';

const STATE_MINUTES = 10;

export interface AuthorizeRequest {
  readonly connector: string;
  readonly environment: 'sandbox' | 'live';
  /** Page of ours to come back to. */
  readonly returnTo: string;
  /** Reconnects this one instead of making another. */
  readonly connectionId?: string | undefined;
}

/** The one OAuth 2 flow for every vendor: authorization code, PKCE (S256), a state that is bound to person and company and used once. */
export function createOAuth(services: Services) {
  const { deps, connections, settings } = services;
  const { store, vault, now } = deps;
  const redirectUri = `${settings.PLUMBLINE_ORIGIN}/oauth/callback`;

  return {
    /** Where to send the browser. */
    async authorize(actor: Actor, request: AuthorizeRequest): Promise<string> {
      const connector = requireConnector(services, request.connector);
      const client = connections.client(connector, request.environment);
      if (!client)
        throw new ApiError('invalid_input', `${connector.title} is not set up here for ${request.environment} use.`, {
          fix: `An administrator sets PLUMBLINE_${connector.id.toUpperCase()}_CLIENT_ID and …_CLIENT_SECRET.`,
        });
      const state = randomBytes(32).toString('base64url');
      const verifier = generateRandomCodeVerifier();
      const state_hash = hash(state);
      const sealed = await vault.seal(
        { companyId: actor.companyId, table: 'oauth_states', rowId: state_hash, column: 'verifier' },
        verifier,
      );
      await store.tenant(actor.companyId, async (tx) => {
        if (request.connectionId) {
          const row = await tx
            .selectFrom('integrations')
            .select('id')
            .where('company_id', '=', actor.companyId)
            .where('id', '=', request.connectionId)
            .where('type', '=', connector.id)
            .executeTakeFirst();
          if (!row) throw notFound('connection');
        }
        await tx
          .deleteFrom('oauth_states')
          .where('company_id', '=', actor.companyId)
          .where('expires_at', '<', now())
          .execute();
        await tx
          .insertInto('oauth_states')
          .values({
            state_hash,
            company_id: actor.companyId,
            user_id: actor.userId,
            connector: connector.id,
            integration_id: request.connectionId ?? null,
            environment: request.environment,
            verifier: json(sealed),
            return_to: safeReturn(request.returnTo),
            expires_at: new Date(now().getTime() + STATE_MINUTES * 60_000),
            used_at: null,
          })
          .execute();
      });
      const url = new URL(connections.urls(connector, request.environment).authorizeUrl);
      const parameters: Record<string, string> = {
        client_id: client.clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: connector.auth.scopes.join(connector.auth.scopeSeparator ?? ' '),
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    },

    /** Takes the browser back; answers where to send it next. Everything that goes wrong is told there, as text with a code. */
    async callback(actor: Actor, query: Readonly<Record<string, string>>): Promise<string> {
      const row = await takeState(services, actor, query['state'] ?? '');
      const back = (parameters: Readonly<Record<string, string>>): string => {
        const url = new URL(row.return_to, settings.PLUMBLINE_ORIGIN);
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
        return url.pathname + url.search;
      };
      if (query['error'])
        return back({
          connect_error: query['error'] === 'access_denied' ? 'access_denied' : 'vendor_refused',
          connect_message:
            query['error'] === 'access_denied'
              ? 'Access was not granted.'
              : (query['error_description'] ?? query['error']).slice(0, 200),
        });
      const connector = requireConnector(services, row.connector);
      const client = connections.client(connector, row.environment);
      if (!client || !query['code'])
        return back({ connect_error: 'code_missing', connect_message: `${connector.title} sent no code.` });
      try {
        const verifier = (await vault.open(
          { companyId: actor.companyId, table: 'oauth_states', rowId: row.state_hash, column: 'verifier' },
          row.verifier as Sealed,
        )) as string;
        const answer = await requestToken({
          connector,
          client,
          tokenUrl: connections.urls(connector, row.environment).tokenUrl,
          parameters: {
            grant_type: 'authorization_code',
            code: query['code'],
            redirect_uri: redirectUri,
            code_verifier: verifier,
          },
          fetch: deps.fetch,
        });
        const account = { ...answer.account, ...callbackAccount(connector, query) };
        const id = await keep(services, actor, {
          connector,
          environment: row.environment,
          account,
          answer,
          integrationId: row.integration_id,
        });
        return back({ connected: id });
      } catch (error) {
        deps.log.warn({ err: error, connector: connector.id, companyId: actor.companyId }, 'connecting failed');
        return back({
          connect_error: error instanceof ApiError ? error.code : 'connect_failed',
          connect_message: error instanceof Error ? error.message.slice(0, 300) : 'Connecting failed.',
        });
      }
    },
  };
}

function requireConnector(services: Services, id: string): Connector {
  const connector = services.deps.catalog.connectors.get(id);
  if (!connector) throw notFound('connector');
  return connector;
}

/** Reads a state and spends it, in one transaction. @throws ApiError `oauth_state_invalid` whatever is wrong with it. */
async function takeState(services: Services, actor: Actor, state: string) {
  const { store, now } = services.deps;
  const row = await store.tenant(actor.companyId, (tx) =>
    tx
      .updateTable('oauth_states')
      .set({ used_at: now() })
      .where('company_id', '=', actor.companyId)
      .where('state_hash', '=', hash(state))
      .where('user_id', '=', actor.userId)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now())
      .returning(['state_hash', 'connector', 'environment', 'integration_id', 'verifier', 'return_to'])
      .executeTakeFirst(),
  );
  if (!row)
    throw new ApiError(
      'oauth_state_invalid',
      'This connection attempt is unknown, used up or older than ten minutes.',
      { fix: 'Start connecting again.' },
    );
  return row;
}

/** Facts the vendor put on the callback, such as QuickBooks' realmId. */
function callbackAccount(connector: Connector, query: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    (connector.auth.callbackParameters ?? []).map((name) => {
      const value = query[name];
      if (!value || value.length > 100)
        throw new ApiError('connect_failed', `${connector.title} did not say which account this is (${name}).`);
      return [name, value];
    }),
  );
}

/** Stores tokens and names the account after proving that they work. */
async function keep(
  services: Services,
  actor: Actor,
  work: {
    readonly connector: Connector;
    readonly environment: 'sandbox' | 'live';
    readonly account: Record<string, string>;
    readonly answer: TokenAnswer;
    readonly integrationId: string | null;
  },
): Promise<string> {
  const { deps, connections } = services;
  const { connector, environment, account, answer } = work;
  const id = work.integrationId ?? randomUUID();
  const context = {
    id,
    baseUrl: connections.urls(connector, environment).baseUrl,
    accessToken: answer.accessToken,
    account,
  };
  const { accountName } = await connector.test({
    http: connector.http({ connection: context, fetch: deps.fetch, now: deps.now }),
    connection: context,
  });
  const sealed = await deps.vault.seal(
    { companyId: actor.companyId, table: 'integrations', rowId: id, column: 'config' },
    { accessToken: answer.accessToken, ...(answer.refreshToken ? { refreshToken: answer.refreshToken } : {}) },
  );
  const values = {
    name: accountName.slice(0, 120),
    environment,
    config: json(sealed),
    account: json(account),
    scopes: [...answer.scopes],
    status: 'connected' as const,
    error_message: null,
    token_expires_at: answer.expiresIn === undefined ? null : new Date(deps.now().getTime() + answer.expiresIn * 1_000),
    updated_at: deps.now(),
  };
  await deps.store.tenant(actor.companyId, async (tx) => {
    if (work.integrationId) {
      const before = await tx
        .selectFrom('integrations')
        .select(['account', 'refresh_generation'])
        .where('company_id', '=', actor.companyId)
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!before) throw notFound('connection');
      for (const [name, value] of Object.entries(before.account))
        if (account[name] !== undefined && account[name] !== value)
          throw new ApiError('connect_failed', `That is another ${connector.title} account than before.`, {
            fix: 'Choose the same account, or make a new connection.',
          });
      await tx
        .updateTable('integrations')
        .set({ ...values, refresh_generation: before.refresh_generation + 1 })
        .where('company_id', '=', actor.companyId)
        .where('id', '=', id)
        .execute();
    } else {
      await tx
        .insertInto('integrations')
        .values({
          id,
          company_id: actor.companyId,
          type: connector.id,
          last_sync_at: null,
          created_by: actor.name,
          ...values,
        })
        .execute();
    }
    await appendAudit(tx, {
      actor: actor.name,
      action: work.integrationId ? 'connection.reconnected' : 'connection.created',
      targetType: 'connection',
      targetId: id,
      details: { connector: connector.id, environment, account },
    });
  });
  return id;
}

function hash(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}

/** A path of ours, or the hub: never another site. */
export function safeReturn(path: string): string {
  return /^\/(?![/\\])[^\u0000-\u001f\\]{0,500}$/.test(path) ? path : '/settings/integrations';
}
