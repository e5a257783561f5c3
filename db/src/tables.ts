import type { ColumnType, Generated, JSONColumnType } from 'kysely';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type CreatedAt = ColumnType<Date, Date | string | undefined, never>;
type UpdatedAt = ColumnType<Date, Date | string | undefined, Date | string>;
/** `bigint` comes back from pg as a string. */
type Sequence = ColumnType<string, never, never>;
type Json<T extends object> = JSONColumnType<T, string, string>;

/** Ciphertext of `crypto.ts`: AES-256-GCM under the company's data key, bound to its table, row and column. */
export interface Sealed {
  readonly v: 1;
  /** Version of the company's data key. */
  readonly k: number;
  readonly iv: string;
  readonly ct: string;
  readonly tag: string;
}

/** How something comes to be: what triggers listen to. */
export type EventKind =
  'webhook' | 'record' | 'schedule' | 'manual' | 'connector' | 'poll' | 'call' | 'flow_error' | 'connection_state';

export interface Tables {
  // — the company itself —
  companies: {
    id: string;
    name: string;
    slug: string;
    time_zone: ColumnType<string, string | undefined, string>;
    currency: ColumnType<string, string | undefined, string>;
    created_at: CreatedAt;
  };
  company_keys: {
    company_id: string;
    version: number;
    wrapped_key: Buffer;
    master_key_id: string;
    created_at: CreatedAt;
  };

  // — connections (the product plan's names) —
  integrations: {
    id: Generated<string>;
    company_id: string;
    /** Connector id: `quickbooks`, `slack`. */
    type: string;
    name: string;
    environment: 'sandbox' | 'live';
    /** Sealed `{ tokens, baseUrl, tokenUrl, … }`. */
    config: Json<Sealed>;
    /** What may be shown: account name, realm id, team id. */
    account: Json<Record<string, string>>;
    scopes: string[];
    status: 'connected' | 'degraded' | 'needs_reconnect' | 'paused' | 'disconnected';
    token_expires_at: Timestamp | null;
    refresh_generation: Generated<number>;
    last_sync_at: Timestamp | null;
    error_message: string | null;
    created_by: string | null;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };
  integration_logs: {
    id: Generated<string>;
    company_id: string;
    integration_id: string;
    action: string;
    direction: 'import' | 'export';
    entity_type: string;
    entity_count: number;
    status: 'succeeded' | 'failed';
    external_id: string | null;
    run_id: string | null;
    error_details: Json<Record<string, unknown>> | null;
    created_at: CreatedAt;
  };
  oauth_states: {
    /** SHA-256 of the state parameter. */
    state_hash: string;
    company_id: string;
    user_id: string;
    connector: string;
    integration_id: string | null;
    environment: 'sandbox' | 'live';
    /** Sealed PKCE verifier. */
    verifier: Json<Sealed>;
    return_to: string;
    expires_at: Timestamp;
    used_at: Timestamp | null;
    created_at: CreatedAt;
  };
  webhooks: {
    id: Generated<string>;
    company_id: string;
    name: string;
    url: string;
    events: string[];
    secret: Json<Sealed>;
    active: ColumnType<boolean, boolean | undefined, boolean>;
    last_triggered_at: Timestamp | null;
    created_at: CreatedAt;
  };

  // — flows —
  flows: {
    id: Generated<string>;
    company_id: string;
    name: string;
    description: ColumnType<string, string | undefined, string>;
    status: 'draft' | 'on' | 'off';
    draft: Json<Record<string, unknown>>;
    draft_revision: Generated<number>;
    /** Who changed what since the live version, by item. */
    draft_authors: ColumnType<Record<string, { name: string; at: string }[]>, string | undefined, string>;
    /** Number of the live version. */
    published_version: number | null;
    template_slug: string | null;
    template_version: number | null;
    created_by: string | null;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };
  flow_versions: {
    id: Generated<string>;
    company_id: string;
    flow_id: string;
    number: number;
    document: Json<Record<string, unknown>>;
    plan_hash: string;
    /** Who changed what since the version before. */
    authors: ColumnType<Record<string, { name: string; at: string }[]>, string | undefined, never>;
    /** What flows that call it depend on; null in versions from before there was one. */
    interface: ColumnType<Record<string, unknown> | null, string | undefined, never>;
    note: string | null;
    published_by: string | null;
    published_at: CreatedAt;
  };
  /** Content-addressed: one row serves every run of every version with that hash. */
  plans: { company_id: string; hash: string; plan: Json<Record<string, unknown>>; created_at: CreatedAt };
  /** What steps hand on while a drawing is tried out. */
  flow_pins: {
    company_id: string;
    flow_id: string;
    node_id: string;
    port: string;
    output: Json<unknown[] | Record<string, unknown>>;
    pinned_by: string | null;
    pinned_at: UpdatedAt;
  };
  subscriptions: {
    id: Generated<string>;
    company_id: string;
    flow_id: string;
    /** Id of the trigger node in the flow's document. */
    node_id: string;
    kind: EventKind;
    /** What events carry: `vendor_invoice.approved`; for webhooks the public id in the URL. */
    key: string;
    config: Json<Record<string, unknown>>;
    /** JSONata; the event starts no run unless it is true. */
    filter: string | null;
    secret: Json<Sealed> | null;
    /** Works on until `previous_secret_until`. */
    previous_secret: JSONColumnType<Sealed, string | null | undefined, string | null> | null;
    previous_secret_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** Deliveries that did not prove where they came from. */
    refused: Generated<number>;
    refused_at: ColumnType<Date | null, never, Date | null>;
    refused_code: ColumnType<string | null, never, string | null>;
    active: ColumnType<boolean, boolean | undefined, boolean>;
    /** For schedules: when they come next. */
    next_fire_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** A time that waits for the run before it to end. */
    waiting_fire_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** `core.poll@1`; null for those made before it was kept. */
    node_type: ColumnType<string | null, string | null | undefined, string | null>;
    /** Connection it works with. */
    integration_id: ColumnType<string | null, string | null | undefined, string | null>;
    /** For polls: how far they have read, as the node type writes it. */
    cursor: JSONColumnType<Record<string, unknown>, string | null | undefined, string | null> | null;
    next_poll_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    poll_lease_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** In a row. */
    poll_failures: Generated<number>;
    poll_error: JSONColumnType<Record<string, unknown>, string | null | undefined, string | null> | null;
    polled_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };

  // — events and runs —
  events: {
    id: Generated<string>;
    company_id: string;
    /** Order of arrival. */
    seq: Sequence;
    kind: EventKind;
    /** Matches `subscriptions.key`. */
    key: string;
    /** Unique with company and key. */
    dedupe_key: string;
    subject_entity: string | null;
    subject_id: string | null;
    data: Json<Record<string, unknown>>;
    status: ColumnType<
      'pending' | 'dispatched' | 'ignored' | 'dropped',
      'pending' | 'dispatched' | 'ignored' | undefined,
      'pending' | 'dispatched' | 'ignored' | 'dropped'
    >;
    /** Plain sentence when ignored. */
    reason: string | null;
    received_at: CreatedAt;
    dispatched_at: Timestamp | null;
    /** Later than now when a dispatch failed and waits. */
    next_attempt_at: ColumnType<Date, Date | string | undefined, Date | string>;
    /** 0 for what a person started, 1 for what came by itself, 2 for what was due anyway. */
    lane: ColumnType<number, never, never>;
    /** Somebody let it go before the others. */
    put_first: ColumnType<boolean, boolean | undefined, boolean>;
    attempts: Generated<number>;
    /** Until when its sender waits for an answer. */
    awaited_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** With which others somebody dropped it. */
    drop_id: ColumnType<string | null, null | undefined, string | null>;
  };
  /** Events that a person dropped together, before they began. */
  event_drops: {
    id: Generated<string>;
    company_id: string;
    reason: string;
    /** What was asked for. */
    chosen: Json<Record<string, unknown>>;
    count: number;
    dropped_by: string;
    dropped_at: Timestamp;
    put_back_by: string | null;
    put_back_at: Timestamp | null;
  };
  /** Flows in which something went wrong last; kept by the database for those that listen to it. */
  flow_troubles: { company_id: string; flow_id: string; since: CreatedAt };
  /** What a flow answered the sender of its event; the first one stands. */
  answers: {
    company_id: string;
    event_id: string;
    run_id: string;
    status: number;
    headers: Json<Record<string, string>>;
    body: JSONColumnType<object, string | null, never> | null;
    created_at: CreatedAt;
  };
  runs: {
    id: Generated<string>;
    company_id: string;
    flow_id: string;
    flow_version: number;
    plan_hash: string;
    event_id: string | null;
    /** Run that this one repeats. */
    rerun_of: ColumnType<string | null, string | null | undefined, string | null>;
    /** Node the repeat begins at; null for the trigger. */
    rerun_from: ColumnType<string | null, string | null | undefined, string | null>;
    /** Run and step that called it. */
    parent_run_id: ColumnType<string | null, string | null | undefined, string | null>;
    parent_node_id: ColumnType<string | null, string | null | undefined, string | null>;
    parent_iteration: ColumnType<string | null, string | null | undefined, string | null>;
    /** How many calls it is away from what happened. */
    depth: Generated<number>;
    /** 0 what somebody waits for … 3 what is made up for; null as its event has it. */
    urgency: ColumnType<number | null, number | undefined, number | null>;
    /** What it hands back to whoever called it. */
    result: ColumnType<unknown, string | null | undefined, string | null>;
    /** What it wrote is undone before it ends. */
    compensate: Generated<boolean>;
    /** How a drawing is tried out; null for runs that count. */
    test: ColumnType<Record<string, unknown> | null, string | null | undefined, never>;
    trigger_node_id: string;
    /** Temporal workflow id. */
    carrier_id: string;
    /** Position in the carrier. */
    lane: number;
    /** `queued` until Temporal has confirmed the carrier. */
    status: 'queued' | 'running' | 'waiting' | 'parked' | 'succeeded' | 'failed' | 'cancelled';
    error: Json<Record<string, unknown>> | null;
    /** The code in `error`, so that an index serves it. */
    error_code: ColumnType<string | null, never, never>;
    /** How far its references are gathered: 0 not, 1 the event's, 2 those up to where it was parked, 3 all. */
    referenced: ColumnType<number, number | undefined, number>;
    queued_at: CreatedAt;
    /** When Temporal took the carrier; until then the start is repeated. */
    confirmed_at: Timestamp | null;
    started_at: Timestamp | null;
    finished_at: Timestamp | null;
  };
  steps: {
    company_id: string;
    run_id: string;
    node_id: string;
    /** `''` at top level, `0`, `1` … inside loops, `.`-joined when nested. */
    iteration: string;
    status: 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'parked';
    attempt: number;
    port: string | null;
    input: Json<unknown[] | Record<string, unknown>> | null;
    output: Json<unknown[] | Record<string, unknown>> | null;
    error: Json<Record<string, unknown>> | null;
    /** When a retry is due. */
    next_attempt_at: Timestamp | null;
    /** Did its part and waits; goes on when its time comes. */
    suspended: ColumnType<boolean, boolean | undefined, boolean>;
    started_at: Timestamp;
    finished_at: Timestamp | null;
    /** Taken over from the run that is repeated. */
    carried: ColumnType<boolean, boolean | undefined, boolean>;
    /** Attempts that did not succeed, and the one that did after them; null when the first did. */
    attempts: ColumnType<Record<string, unknown>[] | null, string | null | undefined, string | null>;
    /** Its turn of a loop is over. */
    closed: ColumnType<boolean, boolean | undefined, boolean>;
    /** Not carried out: pinned, or made up. */
    simulated: ColumnType<boolean, boolean | undefined, boolean>;
    /** Given by a person, in place of what the mappings give. */
    override: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
    /** Id of the decision that was made last. */
    decision: ColumnType<string | null, string | null | undefined, string | null>;
  };
  /** Turns of loops. */
  iterations: {
    company_id: string;
    run_id: string;
    /** The loop. */
    node_id: string;
    /** Turn of the loops around it; `''` at top level. */
    parent: ColumnType<string, string | undefined, string>;
    /** From 0. */
    index: number;
    item: Json<unknown[] | Record<string, unknown>> | null;
    status: ColumnType<
      'pending' | 'done' | 'failed' | 'skipped',
      'pending' | undefined,
      'pending' | 'done' | 'failed' | 'skipped'
    >;
    value: Json<unknown[] | Record<string, unknown>> | null;
    error: Json<Record<string, unknown>> | null;
    finished_at: Timestamp | null;
  };
  /** What steps wait for that have handed something over. */
  waits: {
    company_id: string;
    run_id: string;
    node_id: string;
    iteration: string;
    kind: string;
    /** What answers it. */
    key: string;
    /** For events: where in its data to look, and what must stand there. */
    path: string[] | null;
    value: string | null;
    config: ColumnType<Record<string, unknown>, string | undefined, string>;
    since: CreatedAt;
    answer: Json<Record<string, unknown>> | null;
    answered_at: Timestamp | null;
  };
  /** Keys that came by a step of a flow. */
  seen_keys: {
    company_id: string;
    flow_id: string;
    node_id: string;
    key: string;
    /** Whoever came first. */
    run_id: string;
    iteration: string;
    until: Timestamp;
  };
  /** How far the turns of a step are given away. */
  paces: { company_id: string; flow_id: string; node_id: string; key: string; window_at: Timestamp; used: number };
  /** Items that runs have put together. */
  batches: {
    id: Generated<string>;
    company_id: string;
    flow_id: string;
    node_id: string;
    key: string;
    /** The step that goes on with them. */
    run_id: string;
    iteration: string;
    opened_at: Timestamp;
    closed_at: Timestamp | null;
  };
  batch_items: {
    company_id: string;
    batch_id: string;
    number: Sequence;
    run_id: string;
    node_id: string;
    iteration: string;
    item: Json<unknown[] | Record<string, unknown>> | null;
  };
  /** Who holds a name, and who waits for it. */
  locks: {
    company_id: string;
    name: string;
    number: Sequence;
    run_id: string;
    node_id: string;
    iteration: string;
    held_at: Timestamp | null;
  };
  /** Small things that flows remember for each other. */
  kept_values: {
    company_id: string;
    collection: string;
    key: string;
    value: Json<unknown[] | Record<string, unknown>>;
    written_by: string;
    version: Generated<number>;
    expires_at: Timestamp | null;
    updated_at: UpdatedAt;
  };
  /** Runs whose carriers are to be told that something happened. */
  run_wakes: {
    company_id: string;
    run_id: string;
    carrier_id: string;
    number: Sequence;
    created_at: CreatedAt;
  };
  /** What a run can be found by: ids, numbers and names that passed through it, in lower case. */
  run_references: { company_id: string; run_id: string; value: string; at: Timestamp };
  /** Write-ahead ledger of what leaves the house. One row per idempotency key. */
  effects: {
    company_id: string;
    key: string;
    run_id: string;
    node_id: string;
    iteration: string;
    state: 'intent' | 'sent' | 'confirmed' | 'refused' | 'uncertain';
    result: Json<Record<string, unknown>> | null;
    /** Sent by a run that this one repeats: its key at the vendor, and what was sent; null once this run sends something of its own. */
    sent_as: ColumnType<string | null, string | null | undefined, string | null>;
    sent_input: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };
  blobs: { company_id: string; sha256: string; bytes: Buffer; created_at: CreatedAt };

  // — the company's own data —
  records: {
    id: Generated<string>;
    company_id: string;
    entity: string;
    /** Conforms to `entities/<entity>.ts`. */
    data: Json<Record<string, unknown>>;
    /** Lower-case words people search by. */
    search: ColumnType<string, string | undefined, string>;
    version: Generated<number>;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };
  /** The change feed: one row per change, in order. */
  record_changes: {
    seq: Sequence;
    company_id: string;
    record_id: string;
    entity: string;
    change: string;
    version: number;
    before: Json<Record<string, unknown>> | null;
    after: Json<Record<string, unknown>> | null;
    actor: string | null;
    at: CreatedAt;
  };
  /** Crosswalk between a record and a vendor's object, with the last agreed base. */
  links: {
    id: Generated<string>;
    company_id: string;
    entity: string;
    record_id: string;
    integration_id: string;
    remote_type: string;
    remote_id: string;
    remote_version: string | null;
    base: Json<Record<string, unknown>> | null;
    state: 'proposed' | 'linked' | 'orphaned' | 'ignored';
    created_at: CreatedAt;
    updated_at: UpdatedAt;
  };

  // — value maps —
  value_maps: {
    id: Generated<string>;
    company_id: string;
    name: string;
    description: ColumnType<string, string | undefined, string>;
    /** The one that answers. */
    version: Generated<number>;
    created_at: CreatedAt;
    updated_at: UpdatedAt;
    removed_at: Timestamp | null;
  };
  value_map_versions: {
    company_id: string;
    map_id: string;
    number: number;
    columns: Json<{ id: string; title: string; type: 'text' | 'number' | 'boolean'; key: boolean }[]>;
    /** Capitals and spaces in keys do not matter. */
    loose: boolean;
    otherwise: Json<Record<string, string | number | boolean | null>> | null;
    row_count: number;
    added: number;
    changed: number;
    removed: number;
    note: string | null;
    /** The version it went back to. */
    restored: number | null;
    saved_by: string;
    saved_at: Timestamp;
  };
  /** Belongs to the versions from `since` to before `until`. */
  value_map_rows: {
    company_id: string;
    map_id: string;
    key: string;
    since: number;
    until: number | null;
    cells: Json<Record<string, string | number | boolean | null>>;
  };

  // — approvals —
  /** One question that a step puts to people. */
  approvals: {
    id: Generated<string>;
    company_id: string;
    run_id: string;
    node_id: string;
    iteration: string;
    title: string;
    body: string;
    facts: Json<{ label: string; value: string }[]>;
    record_entity: string | null;
    record_id: string | null;
    /** Decimal text. */
    amount: string | null;
    form: Json<Record<string, unknown>[]>;
    /** Ways out beside approved and rejected. */
    outcomes: Json<{ id: string; title: string }[]>;
    settings: Json<Record<string, unknown>>;
    status: 'open' | 'decided' | 'expired' | 'withdrawn';
    outcome: string | null;
    /** The one that is asked now, from 1. */
    stage: number;
    remind_at: Timestamp | null;
    escalate_at: Timestamp | null;
    expires_at: Timestamp | null;
    /** The earliest of the three. */
    next_at: ColumnType<Date | null, never, never>;
    opened_at: Timestamp;
    closed_at: Timestamp | null;
  };
  approval_stages: {
    company_id: string;
    approval_id: string;
    number: number;
    title: string;
    from_amount: string;
    /** So many must approve. */
    need: number;
    status: 'ahead' | 'open' | 'approved' | 'ended';
    began_at: Timestamp | null;
    ended_at: Timestamp | null;
  };
  /** Who is asked in a stage; without a user it is somebody outside, who decides by a link. */
  approval_seats: {
    id: Generated<string>;
    company_id: string;
    approval_id: string;
    stage: number;
    user_id: string | null;
    email: string;
    name: string;
    status: 'ahead' | 'open' | 'decided' | 'delegated' | 'closed';
    way: 'asked' | 'escalated' | 'delegated';
    handed_by: string | null;
    number: Sequence;
  };
  approval_decisions: {
    id: Generated<string>;
    company_id: string;
    approval_id: string;
    stage: number;
    seat_id: string;
    outcome: string;
    comment: string;
    /** What was filled into the form. */
    filled: Json<Record<string, unknown>>;
    decided_by: string;
    email: string;
    /** Whose place an admin took. */
    instead_of: string | null;
    way: 'studio' | 'link';
    at: Timestamp;
    number: Sequence;
  };
  approval_links: {
    company_id: string;
    /** SHA-256 of the token. */
    token_hash: Buffer;
    approval_id: string;
    seat_id: string;
    made_by: string;
    created_at: Timestamp;
    expires_at: Timestamp;
    used_at: Timestamp | null;
    revoked_at: Timestamp | null;
  };

  // — people —
  /** Mail that is to be sent; it holds no link, whoever sends it makes one. */
  mail_outbox: {
    id: Generated<string>;
    company_id: string;
    /** The same piece of news is written once. */
    key: string;
    to_email: string;
    to_name: string;
    subject: string;
    body: string;
    approval_id: string | null;
    seat_id: string | null;
    created_at: Timestamp;
    sent_at: Timestamp | null;
    attempts: Generated<number>;
    next_attempt_at: Timestamp;
    first_attempt_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** It will not be sent: nobody needs it any more, or nobody can take it. */
    dropped_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** Why it did not get through the last time; null while nothing went wrong. */
    problem: ColumnType<string | null, string | null | undefined, string | null>;
  };
  notifications: {
    id: Generated<string>;
    company_id: string;
    /** Idempotency key of the step that sent it. */
    key: string;
    title: string;
    body: string;
    severity: 'info' | 'warning' | 'error';
    run_id: string | null;
    /** Whom it is for; null for everybody. */
    user_id: ColumnType<string | null, string | null | undefined, never>;
    approval_id: ColumnType<string | null, string | null | undefined, never>;
    /** Since when what it tells of is over; null while it lasts, and where nothing says. */
    over_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    /** When it was told, the last time. */
    created_at: UpdatedAt;
  };
  /** Which notice a person has seen: as it was told at `told_at`. */
  notification_reads: {
    company_id: string;
    notification_id: string;
    user_id: string;
    told_at: Timestamp;
  };
  /** Append-only, hash-chained per company; filled through `appendAudit`. */
  audit_log: {
    company_id: string;
    /** 1, 2, 3 … per company, no gaps. */
    number: string;
    actor: string;
    action: string;
    target_type: string;
    target_id: string;
    details: Json<Record<string, unknown>>;
    at: ColumnType<Date, Date | string, never>;
    previous_hash: string;
    hash: string;
  };
  /** State of the vendor doubles, so that a restart keeps it. Not a tenant table: sandboxes stand in for the outside world. */
  sandbox_states: { connector: string; state: Json<Record<string, unknown>>; updated_at: UpdatedAt };
}
