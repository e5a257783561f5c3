import type { z } from 'zod';
import type { Platform } from './platform.ts';
import type { TriggerSubscription } from './trigger.ts';
import type { ConnectionContext, VendorHttp } from './vendor.ts';

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
  /** Fields may carry `.meta({ title, description, optionsFrom: '<name>', multiline, advanced, nothingIsNull })`; with the last, what is mapped and gives nothing comes as `null`. */
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
