import type { z } from 'zod';
import type { FormField } from './form-fields.ts';

/** What went wrong at a vendor. Nothing else decides whether a step is repeated. */
export type FailureKind =
  | 'unavailable' // 5xx before the request was applied, connection refused: repeat
  | 'throttled' // 429: repeat after `retryAfterMs`
  | 'reauthorize' // 401, revoked: park on the connection
  | 'forbidden' // 403, missing scope
  | 'invalid' // 400, 422: the input is wrong
  | 'not_found'
  | 'conflict' // stale version, duplicate name
  | 'closed_period' // the books are closed for that date
  | 'ambiguous' // sent, but no answer: read back, never resend blindly
  | 'contract'; // the vendor's answer does not have the documented shape

/** Bindings a node's input is checked against and the studio draws a form from. */
export type InputSchema = z.ZodObject;

/** How often a step with this effect may be carried out. */
export type Effect =
  | 'none' // pure: no call leaves the process
  | 'read'
  | 'upsert' // may be repeated: the second call changes nothing
  | 'create'; // must happen once

/** An outgoing port. A node with one port named `out` draws no label. */
export interface Port {
  readonly id: string;
  readonly title: string;
}

/** Tokens and settings of one company's link to one vendor account, as a node sees them while it runs. */
export interface ConnectionContext {
  readonly id: string;
  /** Base URL of the vendor, or of its sandbox. */
  readonly baseUrl: string;
  readonly accessToken: string;
  /** What the connector's `readAccount` returned at connect time, e.g. `{ realmId }`. */
  readonly account: Readonly<Record<string, string>>;
}

/** An HTTP request to the connection's vendor. `path` is appended to the connection's base URL. */
export interface VendorRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a lost answer leaves the vendor changed. `@default` true for anything but GET. */
  readonly mutates?: boolean;
  /** @default 30_000 */
  readonly timeoutMs?: number;
}

/** Speaks to one vendor account: adds the token, reads refusals, checks the answer, throws only `ConnectorFailure`. */
export interface VendorHttp {
  send<T extends z.ZodType>(request: VendorRequest & { readonly answer: T }): Promise<z.infer<T>>;
}

/** What a node gets to work with. */
export interface RunContext<I = unknown> {
  readonly input: I;
  /** Absent for nodes without a connector. */
  readonly connection?: ConnectionContext;
  readonly http: VendorHttp;
  /** For URLs that a user typed: refuses private addresses, follows no redirect across origins. */
  readonly fetchPublic: typeof globalThis.fetch;
  /** Stable over every retry of this step and iteration; at most 50 characters of [A-Za-z0-9_-]. */
  readonly idempotencyKey: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** What only the platform can do for a core node; a connector never sees it. */
  readonly platform?: Platform;
}

/** The platform's own services that core nodes (not connectors) may use. */
export interface Platform {
  notify(notice: {
    readonly title: string;
    readonly body: string;
    readonly severity: 'info' | 'warning' | 'error';
  }): Promise<{ id: string }>;
  /**
   * Starts a run of another flow and has this step wait for its end. The answer is `{ runId, status, result, error }`.
   * @throws ConnectorFailure `invalid` when it cannot be called.
   */
  call(flow: {
    readonly flowId: string;
    readonly version?: number;
    readonly values: Readonly<Record<string, unknown>>;
  }): Promise<void>;
  /** What this run hands back to whoever called it. */
  handBack(values: Readonly<Record<string, unknown>>): Promise<void>;
  /** Whether this is the first step of its kind in the flow with such a key, within so many seconds. */
  firstOf(key: string, seconds: number): Promise<boolean>;
  /** When it is this step's turn, so many in each window of so many seconds; undefined when only now would do and there is no room. */
  takeTurn(pace: {
    readonly key: string;
    readonly limit: number;
    readonly perSeconds: number;
    readonly onlyNow: boolean;
  }): Promise<Date | undefined>;
  /** Has this step wait for quiet; those that waited for the same are answered `{ by: <run> }`. */
  waitForQuiet(key: string): Promise<void>;
  /** Puts an item to those of other runs. The first one waits and is answered `{ items }` when there are `count`. */
  collect(given: {
    readonly key: string;
    readonly item: unknown;
    readonly count: number;
  }): Promise<
    | { readonly role: 'first' }
    | { readonly role: 'joined'; readonly runId: string }
    | { readonly role: 'full'; readonly items: readonly unknown[] }
  >;
  /** Closes what this step has waited to be put together. */
  closeCollected(): Promise<readonly unknown[]>;
  /** Gets in line for a name that so many may hold; answered when it is this step's turn. Given up with the run at the latest. */
  getInLine(name: string, permits: number): Promise<boolean>;
  letGo(name: string): Promise<void>;
  /** Small things that flows remember for each other. */
  readKept(collection: string, key: string): Promise<{ readonly found: boolean; readonly value: unknown }>;
  keep(given: {
    readonly collection: string;
    readonly key: string;
    readonly value: unknown;
    readonly expiresAt: Date | null;
  }): Promise<{ readonly version: number }>;
  /**
   * What a value map of the company has for a value, as it is now; undefined when there is no such map.
   * @throws ConnectorFailure `value_invalid` for a value that is none of its keys.
   */
  lookUp(given: { readonly map: string; readonly value: unknown }): Promise<ValueMapAnswer | undefined>;
  /** Has this step wait for an event of a key, in whose data at `path` stands `value`. The answer is the event's data. */
  expect(event: { readonly key: string; readonly path: readonly string[]; readonly value: string }): Promise<void>;
  /**
   * Puts a question to people and has this step wait for what they decide. The answer is `{ outcome, decisions }`.
   * @throws ConnectorFailure `invalid` when it cannot be put to those who are named.
   */
  ask(question: ApprovalQuestion): Promise<void>;
  /** Answers whoever sent the event of this run. `first` is false when an answer stands already; it then stays. */
  respond(answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  }): Promise<{ readonly first: boolean }>;
}

/** What a value map has for one key. */
export interface ValueMapAnswer {
  /** `version` is the one that answered. */
  readonly map: { readonly id: string; readonly name: string; readonly version: number };
  /** The key as a message shows it. */
  readonly key: string;
  /** Columns that are no key, in their order. */
  readonly columns: readonly { readonly id: string; readonly title: string }[];
  /** The cells of its row, by column; undefined when it has none. */
  readonly row?: Readonly<Record<string, string | number | boolean | null>>;
  /** Its values for every key without a row. */
  readonly otherwise?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Times of one stage of an approval, in hours. What is missing is as for all of it; 0 stands for never. */
export interface StageTimes {
  readonly remindEveryHours?: number | undefined;
  readonly escalateAfterHours?: number | undefined;
  /** Empty: those whom the approval names. */
  readonly escalateTo?: string | undefined;
  readonly expiresAfterHours?: number | undefined;
}

/** A question to people. Hours may be fractions; 0 stands for never. */
export interface ApprovalQuestion {
  readonly title: string;
  readonly text: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** Decimal text. */
  readonly amount?: string;
  readonly record?: { readonly entity: string; readonly id: string };
  readonly form: readonly FormField[];
  /** Answers beside approve and reject. */
  readonly outcomes: readonly Port[];
  /** Asked one after the other. None: it is approved as it is. */
  readonly stages: readonly {
    readonly title: string;
    readonly from: string;
    /** Addresses and roles, with commas. */
    readonly approvers: string;
    readonly need: 'any' | 'all' | 'some';
    readonly count?: number | undefined;
    readonly times?: StageTimes | undefined;
  }[];
  readonly comment: 'optional' | 'rejection' | 'always';
  readonly remindEveryHours: number;
  readonly escalateAfterHours: number;
  readonly escalateTo: string;
  readonly expiresAfterHours: number;
}

/** How long a step waits that has handed something over. */
export interface Hold {
  /** Without an answer it goes on then; for ever when absent. */
  readonly until?: Date;
  /** It is answered already, and waits for nothing. */
  readonly answer?: unknown;
}

/** What ended the wait. */
export type HoldEnd =
  | { readonly kind: 'answered'; readonly answer: unknown; readonly at: Date }
  | { readonly kind: 'expired'; readonly at: Date };

/** What a node hands back. `port` is one of its ports, `out` when omitted. */
export interface NodeResult<O = unknown> {
  readonly output: O;
  readonly port?: string;
}

/** One choice of a field whose values come from the connection. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

/** One node type as the catalog holds it: a trigger, an action or a logic step, at a version. */
export interface NodeType {
  /** `<connector or core>.<kebab-name>`, e.g. `slack.send-message`. */
  readonly id: string;
  readonly version: number;
  readonly kind: 'trigger' | 'action' | 'logic';
  readonly title: string;
  /** One line in the words of a builder's office. */
  readonly description: string;
  readonly category:
    | 'Triggers'
    | 'Logic'
    | 'Data'
    | 'Accounting'
    | 'Project Management'
    | 'Communication'
    | 'Payments'
    | 'Productivity'
    | 'Network';
  /** Lucide icon name for core nodes; connectors use the connector's icon. */
  readonly icon: string;
  /** The connector whose connection this node needs; absent for core nodes. */
  readonly connector?: string;
  readonly effect: Effect;
  /** A milder effect, where the input decides it: a request with GET is a read. */
  effectFor?(input: never): Effect;
  /** Fields may carry `.meta({ title, description, optionsFrom: '<name>', multiline, advanced })`. */
  readonly input: InputSchema;
  readonly output: z.ZodType;
  /** A more precise output, where a literal configuration decides it. */
  outputFor?(config: Readonly<Record<string, unknown>>): z.ZodType | undefined;
  /** A list among the inputs declares fields; what is filled in for them is in the output, under a name. */
  readonly outputFields?: {
    readonly list: string;
    readonly into: string;
    /** What a field that names a record gives, by entity. */
    readonly records: Readonly<Record<string, z.ZodType>>;
  };
  /** Fixed ports, or a function of the literal configuration (switch has one port a case). */
  readonly ports: readonly Port[] | ((config: Readonly<Record<string, unknown>>) => readonly Port[]);
  /** Vendor page or RFC this was built from. */
  readonly source?: string;
  /** An input that works against a freshly reset sandbox; the conformance suite runs it, and forms may show it. */
  readonly example?: unknown;
  run?(context: RunContext<never>): Promise<NodeResult>;
  /** Instead of `run`, for steps that only wait: until when, and what they hand on then. Both pure; a time that has passed is no wait. */
  readonly wait?: {
    until(input: never, now: Date, company: { readonly timeZone: string }): Date;
    resume(input: never, until: Date): unknown;
  };
  /** Instead of `run`, for loops, what ends their turns, and scopes: the interpreter knows what to do. */
  readonly control?: 'each' | 'while' | 'next' | 'break' | 'scope';
  /** Instead of `run`, for steps that hand something over and wait for what comes of it. */
  readonly hold?: {
    /** Opens what is waited for. Called again after a crash, it must change nothing. */
    open(context: RunContext<never>): Promise<Hold>;
    /** Asked when its time has come without an answer: what stands for one, if anything does. May be called again. */
    expire?(context: RunContext<never>): Promise<unknown>;
    /** What the step hands on once it is answered, or its time has come. Pure. */
    close(input: never, ended: HoldEnd): NodeResult;
  };
  /** Takes back what this action did, for runs that are given up. Called under an idempotency key of its own, with what went in and what came out. */
  readonly undo?: {
    /** "Deletes the bill": what it says before it is done. */
    readonly title: string;
    run(context: RunContext<never>): Promise<void>;
  };
  /** Looks for what an earlier, unanswered attempt with the same key and input may have left at the vendor. */
  findExisting?(context: RunContext<never>): Promise<NodeResult | undefined>;
  /** `key`: the vendor answers a repeated `idempotencyKey` with its first answer, so a lost answer may be asked for again. @default 'none' */
  readonly idempotency?: 'key' | 'none';
  /** The same, where the input decides it. */
  idempotencyFor?(input: never): 'key' | 'none';
  /** The vendor's object this node's output stands for; a run about a record of that entity links the two. */
  readonly remote?: {
    readonly type: string;
    readonly entity: string;
    read(output: unknown): { readonly id: string; readonly version?: string };
  };
  /** Only for triggers: how a subscription is keyed, from the literal configuration. */
  subscription?: TriggerSubscription;
}

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
