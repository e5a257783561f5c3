import { isStorableText, type DispatcherStore, type Sealed } from '@plumbline/db';
import { proofHeaders, schemeOf, webhookConfigSchema, type WebhookConfig, type WebhookScheme } from '@plumbline/nodes';
import type { Dependencies } from '@plumbline/workflows/activities/dependencies';

/** Where a public webhook address leads, and how its deliveries prove themselves. */
export interface Endpoint {
  readonly companyId: string;
  readonly subscriptionId: string;
  readonly config: WebhookConfig;
  readonly scheme: WebhookScheme;
  /** Names of headers that are withheld from flows. */
  readonly withheld: ReadonlySet<string>;
  readonly secret: string;
  /** The one before it, until its day is over. */
  readonly previous?: { readonly secret: string; readonly until: Date };
}

/** So long an address that was found is not looked up again; a change takes effect after it at the latest. */
const KEEP_MS = 5_000;
const KEEP_MAX = 5_000;
/** A refused delivery may mean that the secret has just been changed; so often an address is looked up anew for that. */
const REFRESH_MS = 500;

interface Kept {
  readonly endpoint: Promise<Endpoint | undefined>;
  readonly at: number;
}

/** Finds the endpoints of public keys. What is found is kept for a few seconds: vendors deliver in bursts. */
export class Endpoints {
  readonly #dispatcher: DispatcherStore;
  readonly #deps: Pick<Dependencies, 'store' | 'vault' | 'now'>;
  readonly #kept = new Map<string, Kept>();

  constructor(dispatcher: DispatcherStore, deps: Pick<Dependencies, 'store' | 'vault' | 'now'>) {
    this.#dispatcher = dispatcher;
    this.#deps = deps;
  }

  async find(key: string): Promise<Endpoint | undefined> {
    return await this.#get(key, KEEP_MS);
  }

  /** Looks again, for a delivery that does not fit what is kept; undefined when that is new enough. */
  async findAgain(key: string): Promise<Endpoint | undefined> {
    const kept = this.#kept.get(key);
    if (kept && this.#deps.now().getTime() - kept.at < REFRESH_MS) return undefined;
    return await this.#get(key, 0);
  }

  async #get(key: string, keepMs: number): Promise<Endpoint | undefined> {
    const now = this.#deps.now().getTime();
    const kept = this.#kept.get(key);
    // A clock that was set back must not keep anything for ever.
    if (kept && Math.abs(now - kept.at) < keepMs) return await kept.endpoint;
    const endpoint = this.#load(key);
    if (this.#kept.size >= KEEP_MAX) this.#kept.clear();
    this.#kept.set(key, { endpoint, at: now });
    try {
      const found = await endpoint;
      // What does not exist may exist in a moment, and guesses must not fill the memory.
      if (!found) this.#kept.delete(key);
      return found;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  async #load(key: string): Promise<Endpoint | undefined> {
    const { store, vault } = this.#deps;
    if (!isStorableText(key)) return undefined;
    const place = await this.#dispatcher.findEndpoint(key);
    if (!place) return undefined;
    const { companyId, subscriptionId } = place;
    const row = await store.tenant(companyId, (tx) =>
      tx
        .selectFrom('subscriptions')
        .select(['secret', 'previous_secret', 'previous_secret_until', 'config'])
        .where('company_id', '=', companyId)
        .where('id', '=', subscriptionId)
        .executeTakeFirst(),
    );
    if (!row?.secret) return undefined;
    const open = async (column: 'secret' | 'previous_secret', sealed: Sealed): Promise<string> =>
      (await vault.open({ companyId, table: 'subscriptions', rowId: subscriptionId, column }, sealed)) as string;
    const config = webhookConfigSchema.parse(row.config);
    const scheme = schemeOf(config);
    return {
      companyId,
      subscriptionId,
      config,
      scheme,
      withheld: new Set(proofHeaders(scheme)),
      secret: await open('secret', row.secret as Sealed),
      ...(row.previous_secret && row.previous_secret_until
        ? {
            previous: {
              secret: await open('previous_secret', row.previous_secret as Sealed),
              until: row.previous_secret_until,
            },
          }
        : {}),
    };
  }
}

/** The secrets a delivery may be signed with now. */
export function validSecrets({ secret, previous }: Endpoint, now: Date): readonly string[] {
  return previous && previous.until > now ? [secret, previous.secret] : [secret];
}
