import type { Store, Vault } from '@plumbline/db';
import type { Catalog } from '@plumbline/nodes';
import type { Logger } from 'pino';
import type { CrashPointReached } from '../crash-points.ts';
import type { Evaluator } from '../evaluate/pool.ts';

/** An application registered with a vendor. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Everything the activities work with; passed in, so that tests choose clock, network and database. */
export interface Dependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly catalog: Catalog;
  readonly evaluator: Evaluator;
  readonly log: Logger;
  readonly now: () => Date;
  /** So long a run stays with whoever took it up and was not heard of since. @default 6_000 */
  readonly leaseMs?: number;
  /** Reaches vendors. */
  readonly fetch: typeof globalThis.fetch;
  /** Reaches addresses that users typed, and no private one. */
  readonly fetchPublic: typeof globalThis.fetch;
  /** Origin under which sandboxes are mounted, `http://127.0.0.1:4400/sandbox`; absent in production. */
  readonly sandboxOrigin?: string;
  /** Our applications at the vendors, by connector id; the sandboxes have their own. */
  readonly oauthClients: Readonly<Record<string, OAuthClient>>;
  readonly sandboxClient?: OAuthClient;
  /** Named points at which a fault test may stop the process. Never set outside tests. */
  readonly crashPoint?: CrashPointReached;
}
