import { randomBytes } from 'node:crypto';

/** One company's consent. */
export interface TokenGrant {
  readonly realm: string;
  readonly scope: string;
}

interface Access extends TokenGrant {
  readonly expiresAt: number;
}

interface Refresh extends TokenGrant {
  readonly issuedAt: number;
  /** Slides with every refresh. */
  expiresAt: number;
}

/** Tokens that are out, by their text; JSON-able. */
export interface TokenState {
  access: Record<string, Access>;
  refresh: Record<string, Refresh>;
}

const ACCESS_SECONDS = 3_600;
const REFRESH_SECONDS = 100 * 86_400;
/** A refresh token's value changes when it is older than this; the value before stays good for as long again. */
const ROLL_MS = 86_400_000;

/** The token endpoint's answer. */
export function issueTokens(state: TokenState, grant: TokenGrant, now: Date, refreshToken?: string) {
  const at = now.getTime();
  const access = `eyJsandbox.${randomBytes(48).toString('base64url')}`;
  const refresh = refreshToken ?? `AB11${randomBytes(24).toString('base64url')}`;
  const issuedAt = state.refresh[refresh]?.issuedAt ?? at;
  state.access[access] = { ...grant, expiresAt: at + ACCESS_SECONDS * 1_000 };
  state.refresh[refresh] = { ...grant, issuedAt, expiresAt: at + REFRESH_SECONDS * 1_000 };
  for (const [token, { expiresAt }] of Object.entries(state.access)) if (expiresAt <= at) delete state.access[token];
  return {
    token_type: 'bearer',
    access_token: access,
    refresh_token: refresh,
    expires_in: ACCESS_SECONDS,
    x_refresh_token_expires_in: REFRESH_SECONDS,
  };
}

/** Answers a refresh; undefined when the token is unknown, revoked or has ended. */
export function refreshTokens(state: TokenState, token: string, now: Date) {
  const held = state.refresh[token];
  const at = now.getTime();
  if (!held || held.expiresAt <= at) return undefined;
  const { realm, scope } = held;
  if (at - held.issuedAt < ROLL_MS) return issueTokens(state, { realm, scope }, now, token);
  // A client that lost this answer comes back with the old value, and finds the door still open for a day.
  held.expiresAt = Math.min(held.expiresAt, at + ROLL_MS);
  return issueTokens(state, { realm, scope }, now);
}

/** Whose token this is; undefined when it is none of ours or has ended. */
export function grantOf(state: TokenState, token: string, now: Date): TokenGrant | undefined {
  const access = state.access[token];
  return access && access.expiresAt > now.getTime() ? access : undefined;
}

/** Ends the consent that a token of either kind belongs to, with all its tokens. Returns whether it was known. */
export function revokeToken(state: TokenState, token: string): boolean {
  const held = state.access[token] ?? state.refresh[token];
  if (!held) return false;
  const others = ([, grant]: [string, TokenGrant]): boolean => grant.realm !== held.realm;
  state.access = Object.fromEntries(Object.entries(state.access).filter(others));
  state.refresh = Object.fromEntries(Object.entries(state.refresh).filter(others));
  return true;
}
