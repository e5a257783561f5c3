import type { DispatcherStore, Sealed } from '@plumbline/db';
import type { Dependencies } from '@plumbline/workflows/activities/dependencies';

/** Where a public webhook address leads, and what its deliveries are signed with. */
export interface Endpoint {
  readonly companyId: string;
  readonly subscriptionId: string;
  readonly secret: string;
}

/** So long an address that was found is not looked up again; a change takes effect after it at the latest. */
const KEEP_MS = 5_000;
const KEEP_MAX = 5_000;

/** Finds the endpoints of public keys. What is found is kept for a few seconds: vendors deliver in bursts. */
export class Endpoints {
  readonly #dispatcher: DispatcherStore;
  readonly #deps: Pick<Dependencies, 'store' | 'vault' | 'now'>;
  readonly #kept = new Map<string, { readonly endpoint: Promise<Endpoint | undefined>; readonly until: number }>();

  constructor(dispatcher: DispatcherStore, deps: Pick<Dependencies, 'store' | 'vault' | 'now'>) {
    this.#dispatcher = dispatcher;
    this.#deps = deps;
  }

  async find(key: string): Promise<Endpoint | undefined> {
    const now = this.#deps.now().getTime();
    const kept = this.#kept.get(key);
    if (kept && kept.until > now) return await kept.endpoint;
    const endpoint = this.#load(key);
    if (this.#kept.size >= KEEP_MAX) this.#kept.clear();
    this.#kept.set(key, { endpoint, until: now + KEEP_MS });
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
    const place = await this.#dispatcher.findEndpoint(key);
    if (!place) return undefined;
    const { companyId, subscriptionId } = place;
    const row = await store.tenant(companyId, (tx) =>
      tx
        .selectFrom('subscriptions')
        .select('secret')
        .where('company_id', '=', companyId)
        .where('id', '=', subscriptionId)
        .executeTakeFirst(),
    );
    if (!row?.secret) return undefined;
    const secret = await vault.open(
      { companyId, table: 'subscriptions', rowId: subscriptionId, column: 'secret' },
      row.secret as Sealed,
    );
    return { companyId, subscriptionId, secret: secret as string };
  }
}
