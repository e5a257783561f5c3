import type { Finding, FlowDocument, NodeTypeInfo } from '@plumbline/workflows/flow';
import type { RunStatus } from './runs.ts';

export interface FlowSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'draft' | 'on' | 'off';
  readonly publishedVersion: number | null;
  readonly hasUnpublishedChanges: boolean;
  readonly trigger: { readonly type: string; readonly title: string } | null;
  /** Connector ids in order of use. */
  readonly connectors: readonly string[];
  readonly templateSlug: string | null;
  readonly lastRun: { readonly id: string; readonly status: RunStatus; readonly at: string } | null;
  /** Ended in the last 24 hours. */
  readonly last24h: { readonly succeeded: number; readonly failed: number };
  readonly updatedAt: string;
}

/** Who changed what, by item as `itemOf` names it: `step:bill`. Newest first. */
export type ChangeAuthors = Readonly<Record<string, readonly { readonly name: string; readonly at: string }[]>>;

export interface FlowDetail extends FlowSummary {
  readonly draft: FlowDocument;
  /** Sent back as `If-Match: "<revision>"` when saving. */
  readonly revision: number;
  /** Of the draft's changes since the live version. */
  readonly authors: ChangeAuthors;
  readonly findings: readonly Finding[];
}

/** PUT /api/flows/:id/draft */
export interface DraftSaved {
  readonly revision: number;
  readonly findings: readonly Finding[];
}

export interface FlowVersionSummary {
  readonly number: number;
  readonly publishedAt: string;
  readonly publishedBy: string | null;
  readonly note: string | null;
  readonly planHash: string;
  /** Of its changes since the version before. */
  readonly authors: ChangeAuthors;
  /** Runs of this version that have not ended. */
  readonly openRuns: number;
}

/** A published flow that calls another one, which changed so that it no longer can. */
export interface BrokenCaller {
  readonly flowId: string;
  readonly flowName: string;
  readonly status: FlowSummary['status'];
  /** What the compiler says of it now and did not say before. */
  readonly findings: readonly Finding[];
}

/** What was published, and whom it concerns. */
export interface FlowPublished extends FlowVersionSummary {
  readonly brokenCallers: readonly BrokenCaller[];
}

export interface FlowVersionDetail extends FlowVersionSummary {
  readonly document: FlowDocument;
}

/** GET /api/flows/:id/export */
export interface FlowExport {
  /** The file, as `writeFlowFile` writes it. */
  readonly text: string;
  /** Where a secret was left out. */
  readonly leftOut: readonly string[];
}

/** POST /api/flows/import */
export interface FlowImport {
  /** The file as it is. */
  readonly text: string;
  /** Instead of the file's. */
  readonly name?: string;
  /** Flow whose draft it replaces; otherwise a new one is made. */
  readonly into?: string;
  /** Only says what it would do. */
  readonly dryRun: boolean;
}

export interface FlowImported {
  /** Null for a dry run that would make a new one. */
  readonly flowId: string | null;
  readonly name: string;
  /** Warnings; what is wrong is answered as a problem. */
  readonly findings: readonly Finding[];
  /** By slot the connection it was given, by name; null where one has to be chosen. */
  readonly connections: Readonly<Record<string, string | null>>;
  /** By the name in the file the value map it was given; null where one has to be chosen, or made. */
  readonly valueMaps: Readonly<Record<string, string | null>>;
  /** By the name in the file the flow that is called; null where one has to be chosen. */
  readonly calledFlows: Readonly<Record<string, string | null>>;
}

/** How a flow's trigger is reached: GET /api/flows/:id/triggers */
export interface TriggerInfo {
  readonly nodeId: string;
  readonly kind: NonNullable<NodeTypeInfo['trigger']>;
  readonly key: string;
  readonly active: boolean;
  readonly webhook?: {
    readonly url: string;
    /** Ready to paste: signs a body and posts it. */
    readonly curl: string;
    /** Until when the secret that was replaced works as well. */
    readonly previousUntil?: string;
    /** Deliveries that did not prove where they came from: how many, and the last one. */
    readonly refused?: { readonly count: number; readonly at: string; readonly code: string };
  };
  /** The next five. */
  readonly nextFireTimes?: readonly string[];
  readonly schedule?: {
    /** "At 7:00 AM, Monday through Friday". */
    readonly words: string;
    readonly timeZone: string;
    /** A time that waits for the run before it to end. */
    readonly waiting?: string;
  };
  /** What a person fills in to start it. */
  readonly form?: readonly TriggerField[];
  readonly call?: {
    /** The request, ready to copy. */
    readonly example: string;
  };
  readonly poll?: {
    readonly lastAt: string | null;
    readonly nextAt: string | null;
    /** Why the last poll did not get through. */
    readonly error: { readonly code: string; readonly message: string; readonly failures: number } | null;
  };
}

/** A field that a trigger declares. */
export interface TriggerField {
  readonly id: string;
  readonly title: string;
  readonly type: 'text' | 'number' | 'date' | 'choice' | 'yes_no' | 'record';
  readonly required: boolean;
  /** For choices. */
  readonly choices: readonly string[];
  /** For records. */
  readonly entity: string | null;
}

/** POST /api/flows/:id/triggers/:nodeId/secret shows it, PUT with `{ secret? }` replaces it. */
export interface WebhookSecret {
  readonly secret: string;
  /** Signs a body with it and posts it. */
  readonly curl: string;
  /** Until when the one before it works as well. */
  readonly previousUntil?: string;
}

/** POST /api/flows/:id/calls `{ input }`, with an Idempotency-Key if it may be repeated. */
export interface CallAccepted {
  readonly eventId: string;
  /** It was there already; nothing new starts. */
  readonly duplicate: boolean;
}

/** A past event a mapping can be tried on: GET /api/flows/:id/samples?nodeId= */
export interface Sample {
  readonly eventId: string;
  readonly title: string;
  readonly receivedAt: string;
  /** Run whose step outputs the preview uses, when there is one. */
  readonly runId: string | null;
  /** `{ trigger, steps, params, run, company }`, as expressions see it. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** POST /api/expressions/preview { source, context } or { source, eventId, flowId } */
export type Preview =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** The expression matched nothing. */ readonly empty: boolean;
      readonly ms: number;
    }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly at?: number };
