import type { FormField } from './form-fields.ts';
import type { Port } from './node-type.ts';

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
  expect(event: ExpectedEvent): Promise<void>;
  /**
   * The same for a webhook, whose key is the last part of its address. One that came since the run began is an answer as well, but not the one that began it.
   * @throws ConnectorFailure `webhook_unknown` when the company has no such address.
   */
  expectWebhook(event: ExpectedEvent): Promise<void>;
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

/** An event of a key, in whose data at `path` stands `value`. */
export interface ExpectedEvent {
  readonly key: string;
  readonly path: readonly string[];
  readonly value: string;
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
