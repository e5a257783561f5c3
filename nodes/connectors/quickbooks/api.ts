import { z } from 'zod';
import {
  ConnectorFailure,
  createVendorHttp,
  oauth2,
  type ConnectionContext,
  type FailureKind,
  type VendorHttp,
  type VendorRefusal,
} from '../../sdk/index.ts';

/** Oldest minor version that is still told apart; lower ones have been answered as 75 since August 2025. */
export const MINOR_VERSION = '75';

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  expires_in: z.number().positive(),
  x_refresh_token_expires_in: z.number().positive().optional(),
});

/** @see https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0 */
export const auth = oauth2({
  authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
  tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  revokeUrl: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
  scopes: ['com.intuit.quickbooks.accounting'],
  clientAuthentication: 'basic',
  callbackParameters: ['realmId'],
  token: {
    title: 'QuickBooks Online',
    answer: tokenAnswer,
    read: (answer) => ({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresIn: answer.expires_in,
      ...(answer.x_refresh_token_expires_in ? { refreshExpiresIn: answer.x_refresh_token_expires_in } : {}),
      // The answer does not name them: they are what was asked for.
      scopes: ['com.intuit.quickbooks.accounting'],
      account: {},
    }),
  },
});

/** What Intuit's codes mean for us; everything else in a `Fault` is `invalid`, or as its HTTP status says. */
const kinds: Readonly<Record<string, FailureKind>> = {
  '3100': 'forbidden', // the application may not use this company
  '3200': 'reauthorize',
  '3001': 'throttled',
  '610': 'not_found',
  '5010': 'conflict', // stale SyncToken
  '5020': 'forbidden',
  '6140': 'conflict', // duplicate document number
  '6190': 'forbidden', // the subscription has ended
  '6200': 'closed_period',
  '6210': 'closed_period',
  '6240': 'conflict', // duplicate name
};

/** How long to wait when a 429 does not say. @see https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles */
const THROTTLE_WAIT_MS = 60_000;

const errorSchema = z.object({
  Message: z.string().nullish(),
  Detail: z.string().nullish(),
  code: z.coerce.string().catch(''),
});
const faultSchema = z.object({ Fault: z.object({ type: z.string().nullish(), Error: z.array(errorSchema).min(1) }) });

/**
 * Reads a `Fault`, which may come with any status.
 * @see https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
 */
export function refusal(answer: {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}): VendorRefusal | undefined {
  const { status, headers } = answer;
  const wait = status === 429 && !headers.has('retry-after') ? { retryAfterMs: THROTTLE_WAIT_MS } : {};
  const parsed = faultSchema.safeParse(answer.body);
  if (!parsed.success) return status === 429 ? { kind: 'throttled', ...wait } : undefined;
  const { type, Error: errors } = parsed.data.Fault;
  const [first] = errors;
  // "003200" and "3200" are the same code; documentation and answers use both.
  const code = (first?.code ?? '').replace(/^0+(?=\d)/, '');
  const vendorMessage = [first?.Message, first?.Detail].filter(Boolean).join(' — ').slice(0, 500);
  return { kind: kindOf({ code, type: type ?? '', status, vendorMessage }), code, vendorMessage, ...wait };
}

function kindOf(fault: {
  readonly code: string;
  readonly type: string;
  readonly status: number;
  readonly vendorMessage: string;
}): FailureKind | undefined {
  if (fault.status === 429) return 'throttled';
  const known = kinds[fault.code];
  if (known) return known;
  if (/account period (has )?closed|books (are|have been) closed/i.test(fault.vendorMessage)) return 'closed_period';
  if (/^authentication/i.test(fault.type)) return 'reauthorize';
  if (/^authorization/i.test(fault.type)) return 'forbidden';
  // A system fault may come after the work was done: the status decides, and a 200 with a fault is not a yes.
  if (/^system/i.test(fault.type) || fault.status >= 500) return fault.status < 400 ? 'ambiguous' : undefined;
  return fault.status < 400 || fault.status === 400 ? 'invalid' : undefined;
}

/** The client of one QuickBooks company. */
export function http(options: {
  connection: ConnectionContext;
  fetch: typeof globalThis.fetch;
  now: () => Date;
  signal?: AbortSignal;
}): VendorHttp {
  return createVendorHttp({ ...options, title: 'QuickBooks Online', refusal, requestIdHeader: 'intuit_tid' });
}

/**
 * `/v3/company/<realm>/<rest>`.
 * @throws ConnectorFailure `reauthorize` when the connection does not know its company
 */
export function companyPath(connection: ConnectionContext | undefined, rest: string): string {
  return `/v3/company/${encodeURIComponent(realmOf(connection))}/${rest}`;
}

/** The id of the connected company. @throws ConnectorFailure `reauthorize` */
export function realmOf(connection: ConnectionContext | undefined): string {
  const realm = connection?.account['realmId'];
  if (realm) return realm;
  throw new ConnectorFailure({
    kind: 'reauthorize',
    code: 'realm_missing',
    message: 'This QuickBooks Online connection does not say which company it belongs to. Connect it again.',
  });
}
