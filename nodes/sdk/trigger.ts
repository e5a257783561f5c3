import type { ConnectionContext, VendorHttp } from './vendor.ts';

/** How events find the trigger. */
export type TriggerSubscription =
  | { readonly kind: 'webhook' } // our own endpoint, a URL and a secret per subscription
  | { readonly kind: 'record'; readonly key: (config: Readonly<Record<string, unknown>>) => string } // 'vendor_invoice.approved'
  | { readonly kind: 'schedule' }
  | { readonly kind: 'manual' }
  /** Other flows call it; no event does. */
  | { readonly kind: 'flow' }
  | { readonly kind: 'call' } // our API, with an input of declared fields
  | { readonly kind: 'flow_error' }
  | { readonly kind: 'connection_state' }
  | PollSubscription
  | { readonly kind: 'connector'; readonly key: (config: Readonly<Record<string, unknown>>) => string }; // a vendor's webhook event

/** Asks for news, again and again. Where it has read to is kept for it, outside of every flow version. */
export interface PollSubscription {
  readonly kind: 'poll';
  /** How long between two polls; 30 at least. */
  everySeconds(config: Readonly<Record<string, unknown>>): number;
  /** The part of the configuration that says what is asked for: when it changes, reading begins anew. `@default` all of it */
  identity?(config: Readonly<Record<string, unknown>>): unknown;
  /**
   * One page of news since the cursor. What was read before may be given again, and should be, for a while: repeats are told by their dedupe keys. Without a
   * cursor it is the first poll: it starts from now, so whatever it gives counts as known already. Throws only `ConnectorFailure`.
   */
  poll(context: PollContext): Promise<PollResult>;
}

export interface PollContext {
  /** Checked against the node's input. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Absent for nodes without a connector. */
  readonly connection?: ConnectionContext;
  readonly http: VendorHttp;
  readonly fetchPublic: typeof globalThis.fetch;
  /** What the last poll returned; undefined for the first. */
  readonly cursor: Readonly<Record<string, unknown>> | undefined;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface PollResult {
  /** In the order in which they are to start runs. */
  readonly events: readonly {
    /** The same whenever the same piece of news is read. */
    readonly dedupeKey: string;
    /** Conforms to the node's output. */
    readonly data: Readonly<Record<string, unknown>>;
  }[];
  readonly cursor: Readonly<Record<string, unknown>>;
  /** Whether to go on at once. @default false */
  readonly more?: boolean;
}
