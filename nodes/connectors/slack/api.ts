import { z } from 'zod';
import {
  createVendorHttp,
  oauth2,
  type ConnectionContext,
  type FailureKind,
  type VendorHttp,
  type VendorRefusal,
} from '../../sdk/index.ts';

const tokenSchema = z.object({
  ok: z.literal(true),
  access_token: z.string().min(1),
  refresh_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
  scope: z.string().default(''),
  bot_user_id: z.string().optional(),
  team: z.object({ id: z.string(), name: z.string() }),
});

/** @see https://docs.slack.dev/authentication/installing-with-oauth */
export const auth = oauth2({
  authorizeUrl: 'https://slack.com/oauth/v2/authorize',
  tokenUrl: 'https://slack.com/api/oauth.v2.access',
  revokeUrl: 'https://slack.com/api/auth.revoke',
  // The last three are for looking whether a message whose answer was lost is there.
  scopes: [
    'chat:write',
    'chat:write.public',
    'channels:read',
    'team:read',
    'channels:join',
    'channels:history',
    'metadata.message:read',
  ],
  scopeSeparator: ',',
  clientAuthentication: 'post',
  token: {
    title: 'Slack',
    answer: tokenSchema,
    refusal: (body) => refusedSchema.safeParse(body).data?.error,
    read: (answer) => ({
      accessToken: answer.access_token,
      ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
      ...(answer.expires_in ? { expiresIn: answer.expires_in } : {}),
      scopes: answer.scope.split(',').filter(Boolean),
      account: {
        teamId: answer.team.id,
        teamName: answer.team.name,
        ...(answer.bot_user_id ? { botUserId: answer.bot_user_id } : {}),
      },
    }),
  },
});

const refusedSchema = z.object({ ok: z.literal(false), error: z.string(), needed: z.string().optional() });

/**
 * Slack says no with HTTP 200 and `ok: false`.
 * @see https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
export function refusal({ body }: { readonly body: unknown }): VendorRefusal | undefined {
  const refused = refusedSchema.safeParse(body).data;
  if (!refused) return undefined;
  const { error: code, needed } = refused;
  return { kind: kinds[code] ?? 'invalid', code, vendorMessage: needed ? `${code} (needs ${needed})` : code };
}

/** What Slack's codes mean for us; everything else is `invalid`. */
const kinds: Readonly<Record<string, FailureKind>> = {
  not_authed: 'reauthorize',
  invalid_auth: 'reauthorize',
  account_inactive: 'reauthorize',
  token_revoked: 'reauthorize',
  token_expired: 'reauthorize',
  missing_scope: 'forbidden',
  no_permission: 'forbidden',
  access_denied: 'forbidden',
  restricted_action: 'forbidden',
  posting_to_general_channel_denied: 'forbidden',
  not_in_channel: 'forbidden',
  ekm_access_denied: 'forbidden',
  channel_not_found: 'not_found',
  message_not_found: 'not_found',
  cant_delete_message: 'forbidden',
  is_archived: 'conflict',
  ratelimited: 'throttled',
  rate_limited: 'throttled',
  // "Some aspect of the operation may have succeeded." A read makes it `unavailable`.
  internal_error: 'ambiguous',
  fatal_error: 'ambiguous',
  service_unavailable: 'unavailable',
};

/** The client of one workspace; paths are method names. */
export function http(options: {
  connection: ConnectionContext;
  fetch: typeof globalThis.fetch;
  now: () => Date;
  signal?: AbortSignal;
}): VendorHttp {
  return createVendorHttp({ ...options, title: 'Slack', refusal, requestIdHeader: 'x-slack-req-id' });
}
