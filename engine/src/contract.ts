import type {
  CatalogInfo,
  Cells,
  Finding,
  FlowDocument,
  NodeTypeInfo,
  ValueMapChanges,
  ValueMapColumn,
  ValueMapProblem,
  ValueMapTable,
} from '@plumbline/workflows/flow';

/**
 * What the API answers. Times are ISO strings with offset, money is a decimal string with two places, ids are opaque.
 * Errors are problem+json (RFC 9457): `Problem`.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What the reader can do, when there is something. */
  readonly fix?: string;
  /** Where in the input, e.g. `nodes.create_bill.inputs.lines`. */
  readonly path?: string;
  readonly findings?: readonly Finding[];
  readonly request_id: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
  readonly total?: number;
}

export type Role = 'owner' | 'admin' | 'builder' | 'viewer';

export interface Me {
  readonly user: { readonly id: string; readonly name: string; readonly email: string };
  readonly company: {
    readonly id: string;
    readonly name: string;
    readonly slug: string;
    readonly timeZone: string;
    readonly currency: string;
  };
  readonly role: Role;
  readonly companies: readonly { readonly id: string; readonly name: string; readonly role: Role }[];
}

/** GET /api/session, without a session: what the sign-in page may offer. */
export interface SignInOptions {
  readonly demo: boolean;
  /** Whether this browser has a session, so that nobody has to ask for `/api/me` in vain. */
  readonly signedIn: boolean;
}

export type { CatalogInfo };

// — flows —

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

// — runs —

export type RunStatus = 'queued' | 'running' | 'waiting' | 'parked' | 'succeeded' | 'failed' | 'cancelled';
export type StepStatus = 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'parked';

export interface RunSummary {
  readonly id: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly flowVersion: number;
  readonly status: RunStatus;
  readonly trigger: string;
  /** What it is about: `Vendor invoice INV-10412`. */
  readonly subject: string | null;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly error: StepError | null;
  /** Run that this one repeats. */
  readonly againOf: string | null;
}

export interface StepError {
  readonly kind: string;
  readonly code: string;
  /** Plain sentence: what happened, to what. */
  readonly message: string;
  /** What to do next. */
  readonly fix: string;
  readonly vendorMessage?: string;
  readonly requestId?: string;
  /** Field of the node's input, when one is to blame. */
  readonly field?: string;
  /** Of a scope: the step inside that failed. */
  readonly step?: string;
  /** Names of steps of a scope, or of a run that was given up, that were undone; and of those that wrote something that stays. */
  readonly undone?: readonly string[];
  readonly kept?: readonly string[];
}

/** One attempt of a step that did not succeed, or the one that followed. */
export interface StepAttempt {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Why it did not succeed; absent for the one that did. */
  readonly kind?: string;
  readonly code?: string;
  readonly message?: string;
  /** When the next was due; absent when a person had to decide. */
  readonly nextAt?: string;
}

/** Steps of other runs of the same flow that came to the same error at the same node. */
export interface SimilarFailures {
  /** Wait for a person now. */
  readonly waiting: number;
  /** Runs that failed with it in the last 30 days. */
  readonly failed: number;
}

export interface StepDetail {
  readonly nodeId: string;
  readonly iteration: string;
  readonly name: string;
  readonly type: string;
  readonly status: StepStatus;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly port: string | null;
  /** Secrets in input and output are masked. */
  readonly input: unknown;
  readonly output: unknown;
  readonly error: StepError | null;
  /** In their order; empty when the first one succeeded. */
  readonly attempts: readonly StepAttempt[];
  /** For a step that waits for a person or failed. */
  readonly similar?: SimilarFailures;
  readonly nextAttemptAt: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** Not done in this run: taken over from the one it repeats. */
  readonly carried?: true;
  /** Not carried out: what it hands on is pinned, or made up. */
  readonly simulated?: boolean;
}

export interface RunDetail extends RunSummary {
  readonly steps: readonly StepDetail[];
  /** It tries a drawing out, and counts for nothing. */
  readonly test: boolean;
  /** Questions that its steps put to people. */
  readonly approvals: readonly RunApproval[];
  /** Run that called this one, and runs that this one called. */
  readonly caller: { readonly runId: string; readonly nodeId: string } | null;
  readonly called: readonly {
    readonly runId: string;
    readonly flowName: string;
    readonly nodeId: string;
    readonly iteration: string;
    readonly status: RunStatus;
  }[];
  /** Node this run began again from, when not from its trigger. */
  readonly againFrom: string | null;
  /** Runs that repeat this one, newest first. */
  readonly again: readonly { readonly id: string; readonly status: RunStatus; readonly queuedAt: string }[];
  /** The version the run runs, not today's draft. */
  readonly document: FlowDocument;
  readonly event: {
    readonly id: string;
    readonly kind: string;
    readonly key: string;
    readonly receivedAt: string;
    readonly data: unknown;
  } | null;
  readonly carrierId: string;
  readonly lane: number;
  readonly temporalUrl: string | null;
}

/** POST /api/flows/:id/tests: tries a drawing out. Writes go through where the account is a sandbox, and are made up elsewhere. */
export interface TestRequest {
  /** The drawing; the saved draft, when left out. */
  readonly document?: FlowDocument;
  /** This step alone; what comes before it is not carried out. */
  readonly only?: string;
  /** Everything that leads to this step, and the step. */
  readonly upTo?: string;
  /** What happened; what is pinned, or made up, when left out. */
  readonly trigger?: { readonly nodeId?: string; readonly output?: unknown };
  /** What steps before one that is tried alone hand on, by node. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** The item, for a step alone that stands in a loop. */
  readonly item?: unknown;
}

/** What a step hands on while its drawing is tried out. Runs that count never use it. */
export interface FlowPin {
  readonly nodeId: string;
  readonly port: string;
  readonly output: unknown;
  readonly pinnedBy: string | null;
  readonly pinnedAt: string;
}

/** POST /api/runs/:id/steps/:nodeId/decide */
export type StepDecision =
  /** Again; with `input` in place of what its mappings give, checked against the node before it is accepted. What stays masked in it stays as it was. */
  | { readonly action: 'retry'; readonly input?: Readonly<Record<string, unknown>>; readonly iteration?: string }
  /** Goes on as if the step had given this output and left by this port; its first port when none is named. */
  | { readonly action: 'skip'; readonly output: unknown; readonly port?: string; readonly iteration?: string }
  /** Goes on along the way for errors; only where the flow has drawn one from this step. */
  | { readonly action: 'error_port'; readonly iteration?: string }
  /** Gives the run up; with `compensate`, what it wrote is undone first where its steps can. */
  | { readonly action: 'abort'; readonly compensate?: boolean; readonly iteration?: string };

/** Runs that failed with the same code in the same flow: GET /api/runs/errors */
export interface ErrorGroup {
  readonly flowId: string;
  readonly flowName: string;
  readonly kind: string;
  readonly code: string;
  readonly count: number;
  /** What the newest of them says. */
  readonly message: string;
  readonly exampleRunId: string;
  readonly oldest: string;
  readonly newest: string;
}

/** Steps that wait for a person for the same reason: same flow, same step, same kind and code of error. */
export interface StuckGroup {
  readonly fingerprint: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly nodeId: string;
  readonly nodeName: string;
  /** What kind of step it is. */
  readonly type: string;
  readonly typeVersion: number;
  /** Whether the flow has drawn a way for its errors. */
  readonly errorWay: boolean;
  readonly kind: string;
  readonly code: string;
  readonly count: number;
  /** What the newest of them says. */
  readonly message: string;
  readonly fix: string;
  readonly exampleRunId: string;
  /** When the first and the last of them began. */
  readonly oldest: string;
  readonly newest: string;
}

/** One of them. */
export interface StuckStep {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly subject: string | null;
  readonly since: string;
}

/** POST /api/runs/groups/:fingerprint/decide */
export interface GroupDecision {
  readonly action: StepDecision['action'];
  /** For `retry`: laid over what each of the steps was given; the rest of their input stays. */
  readonly patch?: Readonly<Record<string, unknown>>;
  /** For `abort`. */
  readonly compensate?: boolean;
  /** For `skip`: what the steps are taken to have answered. */
  readonly output?: unknown;
  readonly port?: string;
  /** Only says what it would touch. */
  readonly dryRun: boolean;
  /** Only these; so that nothing is decided that nobody has seen. @default all */
  readonly runIds?: readonly string[];
}

/** What a decision about a group touches; of a dry run `done` is 0, and `refused` holds those that it would not be accepted for. */
export interface GroupOutcome {
  readonly count: number;
  readonly steps: readonly StuckStep[];
  readonly done: number;
  readonly refused: readonly (StuckStep & { readonly why: string })[];
  /** Beyond what one decision takes on; decide again for those. */
  readonly left: number;
}

/** A step that goes on by itself: at its next attempt, or when its time has come. */
export interface WaitingStep {
  readonly runId: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly subject: string | null;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly iteration: string;
  /** Attempts made, and how many there are; both 0 for a step that only waits for its time. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly nextAttemptAt: string | null;
  readonly since: string;
  /** Why the last attempt did not get through. */
  readonly error: StepError | null;
}

/** Events of one kind whose turn to start a run has not come. */
export interface PendingEvents {
  readonly kind: string;
  readonly key: string;
  /** Flows that listen to it. */
  readonly flows: readonly string[];
  readonly count: number;
  readonly oldest: string;
  /** Somebody put them first. */
  readonly first: boolean;
}

/** One event whose turn has not come. */
export interface PendingEvent {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  /** What it is about, where that is a record. */
  readonly subject: string | null;
  /** The beginning of its data, with secrets masked. */
  readonly excerpt: string;
  readonly receivedAt: string;
}

/** Which of the events that wait: those with these ids, or all that the filter fits. */
export type PendingChoice =
  | { readonly ids: readonly string[] }
  | {
      readonly kind?: string;
      readonly key?: string;
      /** In their data or their key. */
      readonly q?: string;
    };

/** POST /api/queue/drop: events that have not begun. */
export interface DropRequest {
  readonly choice: PendingChoice;
  readonly reason: string;
  /** Only says which. */
  readonly dryRun: boolean;
  /** What a dry run answered: those that came after it are left alone. */
  readonly upTo?: string;
}

export interface DropOutcome {
  /** How many are dropped, or would be. */
  readonly count: number;
  /** The first hundred of them; for a dry run only. */
  readonly events: readonly PendingEvent[];
  readonly upTo: string;
  /** Beyond what is dropped at once; drop again for those. */
  readonly left: number;
  readonly drop: EventDrop | null;
}

/** Events that somebody dropped together. */
export interface EventDrop {
  readonly id: string;
  readonly reason: string;
  readonly count: number;
  readonly kinds: readonly string[];
  readonly droppedBy: string;
  readonly droppedAt: string;
  /** Until when they can be put back. */
  readonly keptUntil: string;
  readonly putBackBy: string | null;
  readonly putBackAt: string | null;
}

/** POST /api/queue/waiting: about many that go on by themselves. */
export interface WaitingDecision {
  readonly action: 'wake' | 'drop';
  readonly steps: readonly { readonly runId: string; readonly nodeId: string; readonly iteration: string }[];
}

export interface WaitingOutcome {
  readonly done: number;
  readonly refused: readonly { readonly runId: string; readonly nodeId: string; readonly why: string }[];
}

/** GET /api/queue */
export interface Queue {
  /** In the order in which their turn comes. */
  readonly pending: readonly PendingEvents[];
  readonly groups: readonly StuckGroup[];
  /** The next to go on first. */
  readonly waiting: readonly WaitingStep[];
  /** Of those there are this many; the list holds the first 200. */
  readonly waitingTotal: number;
}

/** POST /api/runs/:id/rerun, for a run that has ended. */
export interface RerunRequest {
  /** Begins at this node: what is recorded of the nodes that do not follow it is taken over. @default the trigger */
  readonly from?: string;
  /** In place of what the trigger gave. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly version: 'same' | 'current';
  /** Only says what it would do. @default false */
  readonly dryRun?: boolean;
}

export interface Rerun {
  /** The new run; null for a dry run. */
  readonly runId: string | null;
  readonly version: number;
  /** Steps whose recorded outputs are taken over; `changed` when that version of the step is drawn otherwise than the one that gave them. */
  readonly carried: readonly { readonly nodeId: string; readonly name: string; readonly changed: boolean }[];
  /** Steps of the closed run that that version no longer has. */
  readonly gone: readonly { readonly nodeId: string; readonly name: string }[];
  /** Steps that run, if their turn comes. */
  readonly again: readonly {
    readonly nodeId: string;
    readonly name: string;
    /** It was not in the closed run's version; it is drawn otherwise there; it is the same. */
    readonly since: 'new' | 'changed' | 'same';
    /** It changes something outside, and does so again. */
    readonly writes: boolean;
  }[];
}

/** Server-sent events of GET /api/live: `event: change`, data = one of these. Fetch what you show again. */
export interface LiveChange {
  readonly topic: 'run' | 'step' | 'notification' | 'connection' | 'record' | 'task';
  readonly id: string;
  readonly entity?: string;
  readonly nodeId?: string;
  readonly flowId?: string;
  readonly status?: string;
}

// — connections —

export interface ConnectionSummary {
  readonly id: string;
  readonly connector: string;
  readonly name: string;
  readonly environment: 'sandbox' | 'live';
  readonly status: 'connected' | 'degraded' | 'needs_reconnect' | 'paused' | 'disconnected';
  readonly account: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly errorMessage: string | null;
  readonly lastSyncAt: string | null;
  readonly tokenExpiresAt: string | null;
  readonly createdAt: string;
  readonly flows: readonly { readonly id: string; readonly name: string }[];
}

/** One card of the hub: GET /api/integrations */
export interface IntegrationCard {
  readonly connector: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly monogram: { readonly text: string; readonly color: string };
  readonly sandboxAvailable: boolean;
  readonly liveAvailable: boolean;
  readonly connections: readonly ConnectionSummary[];
}

export interface IntegrationLog {
  readonly id: string;
  readonly action: string;
  readonly direction: 'import' | 'export';
  readonly entityType: string;
  readonly entityCount: number;
  readonly status: 'succeeded' | 'failed';
  readonly externalId: string | null;
  readonly runId: string | null;
  readonly message: string | null;
  readonly createdAt: string;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

// — templates —

export interface TemplateSummary {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly outcome: string;
  readonly category: string;
  readonly connectors: readonly string[];
  readonly installedAs: readonly { readonly flowId: string; readonly name: string }[];
}

export interface TemplateDetail extends TemplateSummary {
  readonly description: string;
  /** What it does, step by step, in plain words. */
  readonly steps: readonly string[];
  readonly document: FlowDocument;
  readonly connections: readonly {
    readonly slot: string;
    readonly connector: string;
    readonly title: string;
    readonly candidates: readonly ConnectionSummary[];
  }[];
  readonly params: readonly {
    readonly id: string;
    readonly title: string;
    readonly description?: string;
    readonly type: 'text' | 'number' | 'boolean' | 'choice';
    readonly optionsFrom?: { readonly connection: string; readonly name: string };
    readonly value: unknown;
    readonly required: boolean;
  }[];
}

/** POST /api/templates/:slug/install */
export interface InstallRequest {
  readonly name?: string;
  readonly connections: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly turnOn: boolean;
}

// — records —

export interface EntityInfo {
  readonly id: string;
  readonly title: string;
  readonly plural: string;
  readonly count: number;
  readonly columns: readonly {
    readonly field: string;
    readonly title: string;
    readonly kind: 'text' | 'money' | 'date' | 'status';
  }[];
  readonly statuses: readonly string[];
}

export interface RecordRow {
  readonly id: string;
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly updatedAt: string;
}

export interface RecordDetail extends RecordRow {
  readonly entity: string;
  readonly links: readonly {
    readonly connector: string;
    readonly connectionName: string;
    readonly remoteType: string;
    readonly remoteId: string;
    /** Sandbox page that shows the vendor's object. */
    readonly url: string | null;
  }[];
  readonly changes: readonly { readonly change: string; readonly actor: string | null; readonly at: string }[];
  readonly runs: readonly RunSummary[];
}

// — approvals —

/** A question of a run, as the run shows it. */
export interface RunApproval {
  readonly id: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: TaskStatus;
  readonly outcome: string | null;
  /** "Ana and one of Ben, Cal"; null when it is not asked any more. */
  readonly waitingFor: string | null;
  readonly expiresAt: string | null;
}

export type TaskStatus = 'open' | 'decided' | 'expired' | 'withdrawn';

/** A line of the list of tasks. */
export interface TaskSummary {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  /** Decimal text. */
  readonly amount: string | null;
  readonly outcome: { readonly id: string; readonly title: string } | null;
  readonly flowName: string;
  readonly runId: string;
  readonly waitingFor: string | null;
  /** Whether the reader is asked now. */
  readonly mine: boolean;
  readonly openedAt: string;
  readonly expiresAt: string | null;
  readonly closedAt: string | null;
}

/** Somebody who is asked. */
export interface TaskSeat {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: 'ahead' | 'open' | 'decided' | 'delegated' | 'closed';
  readonly way: 'asked' | 'escalated' | 'delegated';
  readonly handedBy: string | null;
  /** Somebody without an account, who decides by a link. */
  readonly outside: boolean;
  /** Until when their link works; null without one. */
  readonly linkUntil: string | null;
}

export interface TaskStage {
  readonly number: number;
  readonly title: string;
  readonly fromAmount: string;
  readonly need: number;
  readonly status: 'ahead' | 'open' | 'approved' | 'ended';
  readonly seats: readonly TaskSeat[];
}

export interface TaskDecision {
  readonly stage: number;
  readonly outcome: { readonly id: string; readonly title: string };
  readonly by: string;
  readonly insteadOf: string | null;
  readonly way: 'studio' | 'link';
  readonly comment: string;
  readonly filled: readonly { readonly title: string; readonly value: unknown }[];
  readonly at: string;
}

/** What is asked, as whoever decides sees it. */
export interface Question {
  readonly title: string;
  readonly body: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly amount: string | null;
  readonly form: readonly TriggerField[];
  /** Every answer there is, in the order of the buttons. */
  readonly outcomes: readonly { readonly id: string; readonly title: string }[];
  /** When a comment must be given. */
  readonly comment: 'optional' | 'rejection' | 'always';
  readonly expiresAt: string | null;
}

export interface TaskDetail extends TaskSummary {
  readonly question: Question;
  readonly record: { readonly entity: string; readonly id: string } | null;
  readonly stages: readonly TaskStage[];
  readonly decisions: readonly TaskDecision[];
  /** The seat that the reader decides from; null when they are not asked. */
  readonly seatId: string | null;
  /** Whether the reader may decide in place of others, and make links. */
  readonly mayOversee: boolean;
  /** Colleagues it can be handed to. */
  readonly colleagues: readonly { readonly email: string; readonly name: string }[];
}

/** POST /api/tasks/:id/decide, and POST /api/approve/:token without `seatId`. */
export interface TaskDecisionRequest {
  readonly outcome: string;
  readonly comment?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** For an admin: in whose place. */
  readonly seatId?: string;
}

/** GET /api/approve/:token, without an account. */
export interface LinkedQuestion extends Question {
  readonly companyName: string;
  readonly currency: string;
  readonly timeZone: string;
  /** Who is asked. */
  readonly name: string;
}

export interface Notice {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly runId: string | null;
  /** The task it is about. */
  readonly taskId: string | null;
  readonly readAt: string | null;
  readonly createdAt: string;
}

/** GET /api/health, for anyone. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly checks: Readonly<
    Record<'database' | 'temporal' | 'worker' | 'evaluator', { readonly ok: boolean; readonly detail: string }>
  >;
  readonly pendingEvents: number;
  readonly oldestPendingSeconds: number | null;
}

// — value maps —

export interface ValueMapSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly columns: readonly ValueMapColumn[];
  readonly rowCount: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
  /** How many flows use it. */
  readonly flows: number;
}

/** A value map with its rows, in one of its versions. */
export interface ValueMapDetail extends Omit<ValueMapSummary, 'flows'>, ValueMapTable {
  /** The newest; `version` is the one that is shown. */
  readonly latest: number;
}

/** POST /api/value-maps */
export interface ValueMapDraft extends ValueMapTable {
  readonly name: string;
  readonly description: string;
}

/** PUT /api/value-maps/:id, with the version it was read at in `If-Match: "<version>"`. */
export interface ValueMapSave extends ValueMapDraft {
  readonly note?: string;
}

export interface ValueMapVersion {
  readonly number: number;
  readonly savedBy: string;
  readonly savedAt: string;
  readonly note: string | null;
  /** The version it went back to. */
  readonly restored: number | null;
  readonly rowCount: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** GET /api/value-maps/:id/versions/:number/changes: against the version before it, or another one. */
export interface ValueMapDiff extends ValueMapChanges {
  readonly from: number;
  readonly to: number;
  readonly columns: readonly ValueMapColumn[];
}

/** POST /api/value-maps/:id/import */
export interface ValueMapImport {
  readonly csv: string;
  readonly delimiter: 'comma' | 'semicolon' | 'tab' | 'pipe';
  /** `replace`: rows that the file does not have go; `merge`: they stay. */
  readonly mode: 'replace' | 'merge';
  /** Only says what it would change. */
  readonly dryRun: boolean;
}

export interface ValueMapImported {
  /** The rows as they would stand, or do. */
  readonly rows: readonly Cells[];
  readonly changes: ValueMapChanges;
  /** Why it cannot be saved; empty when it can. Columns of the file that the value map does not have are named here too. */
  readonly problems: readonly ValueMapProblem[];
  /** Columns of the file that were left out. */
  readonly ignored: readonly string[];
  /** The version that was made; null for a dry run, or where nothing changes. */
  readonly version: number | null;
}

/** GET /api/value-maps/:id/usage: a flow whose drawing, or whose live version, looks up in it. */
export interface ValueMapUse {
  readonly flowId: string;
  readonly flowName: string;
  readonly status: FlowSummary['status'];
  readonly live: boolean;
  readonly draft: boolean;
  /** Names of the steps. */
  readonly steps: readonly string[];
}

/** GET /api/health/accounting: where everything is that came in. Of one moment. */
export interface Accounting {
  readonly at: string;
  /** acknowledged = ignored + dropped + withRuns + pending */
  readonly events: {
    readonly acknowledged: number;
    readonly ignored: number;
    /** By hand, before they began. */
    readonly dropped: number;
    readonly withRuns: number;
    /** Not looked at yet. */
    readonly pending: number;
    readonly oldestPendingAt: string | null;
    readonly ties: boolean;
    /** Some of those that are nowhere. */
    readonly strays: readonly string[];
  };
  /** total = done + failed + cancelled + parked + waiting + running + queued */
  readonly runs: {
    readonly total: number;
    readonly done: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly parked: number;
    readonly waiting: number;
    readonly running: number;
    readonly queued: number;
    readonly ties: boolean;
    readonly strays: readonly string[];
  };
  readonly ties: boolean;
}

/**
 * Routes the studio uses (cookie session; `X-Requested-With` is not needed, `Origin` is checked):
 *
 *   GET    /api/session                          SignInOptions
 *   POST   /api/session/demo                     signs in as the demo owner (loopback only) → Me
 *   POST   /api/session                          { email, password } → Me
 *   DELETE /api/session                          204
 *   GET    /api/me                               Me (401 when signed out)
 *   POST   /api/me/company                       { companyId } → Me
 *   GET    /api/catalog                          CatalogInfo
 *   GET    /api/flows                            Page<FlowSummary>
 *   POST   /api/flows                            { name } → FlowDetail
 *   GET    /api/flows/:id                        FlowDetail
 *   DELETE /api/flows/:id                        204
 *   PUT    /api/flows/:id/draft                  If-Match; { name, document } → DraftSaved; 409 `revision_conflict`
 *   GET    /api/flows/interfaces                 FlowInfo[]   (what each takes from flows that call it, and hands back)
 *   GET    /api/flows/:id/broken-callers?version  BrokenCaller[]   (if that version, or else the draft, were published)
 *   POST   /api/flows/:id/publish                { note? } → FlowPublished; 422 `flow_invalid` with findings
 *   POST   /api/flows/:id/switch                 { on } → FlowSummary
 *   POST   /api/flows/:id/start                  { values } → { eventId }   (manual trigger)
 *   GET    /api/flows/:id/versions               FlowVersionSummary[]
 *   GET    /api/flows/:id/versions/:number       FlowVersionDetail
 *   POST   /api/flows/:id/versions/:number/publish  { note? } → FlowPublished   (an old one again, under a new number)
 *   GET    /api/flows/:id/export?version         FlowExport
 *   POST   /api/flows/import                     FlowImport → FlowImported; 422 flow_invalid with every problem
 *   GET    /api/flows/:id/triggers               TriggerInfo[]
 *   POST   /api/flows/:id/triggers/:nodeId/secret  { secret, curl }   (shown once, on demand; audited)
 *   GET    /api/flows/:id/samples                Sample[]
 *   POST   /api/flows/:id/tests                  TestRequest → { runId }
 *   GET    /api/flows/:id/pins                   FlowPin[]
 *   PUT    /api/flows/:id/pins/:nodeId           { output, port? } → 204
 *   DELETE /api/flows/:id/pins/:nodeId           204
 *   POST   /api/expressions/preview              { source, context } → Preview
 *   GET    /api/runs?flowId&version&eventId&status&since&until&code&recordId&q&cursor   Page<RunSummary>
 *   GET    /api/runs/errors?flowId&since         ErrorGroup[]
 *   GET    /api/runs/:id                         RunDetail
 *   POST   /api/runs/:id/cancel                  204
 *   POST   /api/runs/:id/steps/:nodeId/decide    StepDecision → 204
 *   POST   /api/runs/:id/steps/:nodeId/wake      { iteration? } → 204   (a step that waits for its next try)
 *   POST   /api/runs/:id/rerun                   RerunRequest → Rerun
 *   GET    /api/runs/groups                      StuckGroup[]
 *   POST   /api/runs/groups/:fingerprint/decide  GroupDecision → GroupOutcome
 *   GET    /api/queue                            Queue
 *   POST   /api/queue/waiting                    WaitingDecision → WaitingOutcome
 *   POST   /api/queue/drop                       DropRequest → DropOutcome   (events that have not begun)
 *   GET    /api/queue/drops                      EventDrop[]
 *   POST   /api/queue/drops/:id/restore          EventDrop; 409 `invalid_transition` when it is too late, or done
 *   POST   /api/queue/first                      { kind, key } → { count }   (events whose turn has not come)
 *   GET    /api/live                             text/event-stream of LiveChange
 *   GET    /api/integrations                     IntegrationCard[]
 *   GET    /api/connections                      ConnectionSummary[]
 *   POST   /api/connections/authorize            { connector, environment, returnTo, connectionId? } → { url }
 *   GET    /api/connections/:id                  ConnectionSummary
 *   GET    /api/connections/:id/logs             IntegrationLog[]
 *   GET    /api/connections/:id/options/:name?query  Choice[]
 *   POST   /api/connections/:id/test             ConnectionSummary
 *   DELETE /api/connections/:id                  204
 *   GET    /api/templates                        TemplateSummary[]
 *   GET    /api/templates/:slug                  TemplateDetail
 *   POST   /api/templates/:slug/install          InstallRequest → FlowDetail
 *   GET    /api/records                          EntityInfo[]
 *   GET    /api/records/:entity?search&status&cursor  Page<RecordRow>
 *   GET    /api/records/:entity/:id              RecordDetail
 *   POST   /api/records/vendor_invoice/:id/status  { to: 'approved' | 'rejected' | 'paid' } → RecordDetail
 *   GET    /api/value-maps                       ValueMapSummary[]
 *   POST   /api/value-maps                       ValueMapDraft → ValueMapDetail
 *   GET    /api/value-maps/:id?version           ValueMapDetail
 *   PUT    /api/value-maps/:id                   If-Match; ValueMapSave → ValueMapDetail; 409 `revision_conflict`
 *   DELETE /api/value-maps/:id                   204; 409 `value_map_in_use`
 *   GET    /api/value-maps/:id/versions          ValueMapVersion[]
 *   GET    /api/value-maps/:id/versions/:number/changes?from  ValueMapDiff
 *   POST   /api/value-maps/:id/versions/:number/restore  If-Match → ValueMapDetail   (an old one again, under a new number)
 *   GET    /api/value-maps/:id/csv?version       text/csv
 *   POST   /api/value-maps/:id/import            If-Match; ValueMapImport → ValueMapImported
 *   GET    /api/value-maps/:id/usage             ValueMapUse[]
 *   GET    /api/tasks?view&cursor                 Page<TaskSummary>
 *   GET    /api/tasks/count                      { mine }
 *   GET    /api/tasks/:id                        TaskDetail
 *   POST   /api/tasks/:id/decide                 TaskDecisionRequest → TaskDetail
 *   POST   /api/tasks/:id/delegate               { to, seatId? } → TaskDetail
 *   POST   /api/tasks/:id/seats/:seat/link       { url, expiresAt }   (for somebody outside; shown once; audited)
 *   DELETE /api/tasks/:id/seats/:seat/link       204
 *   GET    /api/approve/:token                   LinkedQuestion   (no session; never decides)
 *   POST   /api/approve/:token                   TaskDecisionRequest → 204
 *   GET    /api/notifications                    Notice[]
 *   POST   /api/notifications/read               { ids? } → 204   (all of them when none are named)
 *   GET    /api/health                           Health
 *   GET    /api/health/accounting                Accounting
 *
 * After OAuth the browser comes back to `returnTo` with `?connected=<connectionId>` or `?connect_error=<code>&connect_message=<text>`.
 */
export type Routes = never;
