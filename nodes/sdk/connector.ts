import type { Choice, NodeType } from './node-type.ts';
import type { ConnectionContext, VendorHttp } from './vendor.ts';

/** Result of the code exchange, in one shape for all vendors. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Seconds from now; absent when the token does not expire. */
  readonly expiresIn?: number;
  readonly refreshExpiresIn?: number;
  readonly scopes: readonly string[];
  /** Facts about the account that the token answer itself carries (Slack's team). */
  readonly account: Readonly<Record<string, string>>;
}

/** OAuth 2 authorization code flow with PKCE and state, as one vendor speaks it. */
export interface OAuth2 {
  readonly kind: 'oauth2';
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly revokeUrl?: string;
  readonly scopes: readonly string[];
  /** @default ' ' */
  readonly scopeSeparator?: string;
  readonly clientAuthentication: 'basic' | 'post';
  /** Parameters the vendor adds to the callback that must be kept with the account, e.g. `['realmId']`. */
  readonly callbackParameters?: readonly string[];
  /** Reads the token endpoint's 200 answer; throws `ConnectorFailure` when it is not one. */
  readToken(body: unknown): TokenAnswer;
}

export interface RateWindow {
  readonly requests: number;
  readonly perSeconds: number;
  readonly source: string;
}

/** The vendor's double: a stateful fetch handler with a store, a seed and a fault list. */
export interface Sandbox {
  /** Answers any request whose URL path starts with the mount path. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Makes the next matching requests fail; `times` @default 1. */
  fail(fault: SandboxFault): void;
  reset(): void;
  /** JSON-able state, so that `npm start` keeps the sandbox over a restart. */
  snapshot(): unknown;
  restore(state: unknown): void;
}

export interface SandboxFault {
  /** Substring of `METHOD /path`. */
  readonly match: string;
  readonly kind: 'status' | 'drop_before' | 'drop_after' | 'malformed' | 'slow';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  readonly times?: number;
}

export interface SandboxOptions {
  /** Where it is mounted, without trailing slash, e.g. `http://127.0.0.1:4400/sandbox/slack`. */
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly now: () => Date;
  /** Called after every change, so that the host may persist `snapshot()`. */
  readonly changed?: () => void;
  /** Whether it refuses what the vendor's documented rate limits would refuse. @default false */
  readonly enforceLimits?: boolean;
}

/** What the code knows about one vendor. */
export interface Connector {
  readonly id: string;
  readonly title: string;
  readonly category: 'Accounting' | 'Project Management' | 'Communication' | 'Payments' | 'Productivity';
  readonly description: string;
  /** Two letters and the vendor's colour for the monogram. */
  readonly monogram: { readonly text: string; readonly color: string };
  readonly baseUrl: { readonly live: string };
  readonly auth: OAuth2;
  readonly limits: readonly RateWindow[];
  readonly nodes: readonly NodeType[];
  /** Named choices for fields with `optionsFrom`. */
  readonly options: Readonly<
    Record<
      string,
      (context: { http: VendorHttp; connection: ConnectionContext; query?: string }) => Promise<readonly Choice[]>
    >
  >;
  /** Cheap call that proves the connection works; returns what to call the account. */
  test(context: { http: VendorHttp; connection: ConnectionContext }): Promise<{ accountName: string }>;
  /** A `VendorHttp` for one connection. `fetch` is injected so that tests reach the sandbox in process. */
  http(options: {
    connection: ConnectionContext;
    fetch: typeof globalThis.fetch;
    now: () => Date;
    signal?: AbortSignal;
  }): VendorHttp;
  /** Where the sandbox answers under its mount, in place of the live URLs. */
  sandboxUrls(origin: string): {
    readonly baseUrl: string;
    readonly authorizeUrl: string;
    readonly tokenUrl: string;
    readonly revokeUrl?: string;
  };
  sandbox(options: SandboxOptions): Sandbox;
}

/** Everything that can stand on a canvas. */
export interface Catalog {
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Keyed `<id>@<version>`. */
  readonly nodeTypes: ReadonlyMap<string, NodeType>;
}
