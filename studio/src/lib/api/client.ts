import type {
  Accounting,
  BrokenCaller,
  CatalogInfo,
  Choice,
  ConnectionSummary,
  DraftSaved,
  DropOutcome,
  DropRequest,
  EntityInfo,
  ErrorGroup,
  EventDrop,
  FlowDetail,
  FlowPin,
  FlowPublished,
  FlowSummary,
  FlowVersionDetail,
  FlowVersionSummary,
  GroupDecision,
  GroupOutcome,
  Health,
  InstallRequest,
  IntegrationCard,
  IntegrationLog,
  LinkedQuestion,
  Me,
  Notice,
  Page,
  Preview,
  Queue,
  RecordDetail,
  RecordRow,
  Rerun,
  RerunRequest,
  RunDetail,
  RunSummary,
  Sample,
  SignInOptions,
  StepData,
  StepDecision,
  StuckGroup,
  TaskDecisionRequest,
  TaskDetail,
  TaskSummary,
  TemplateDetail,
  TemplateSummary,
  TestRequest,
  TriggerInfo,
  ValueMapDetail,
  ValueMapDiff,
  ValueMapDraft,
  ValueMapImport,
  ValueMapImported,
  ValueMapSave,
  ValueMapSummary,
  ValueMapUse,
  ValueMapVersion,
  WaitingDecision,
  WaitingOutcome,
  WebhookSecret,
} from '@plumbline/engine/contract';
import type { FlowDocument, FlowInfo } from '@plumbline/workflows/flow';
import { send } from './send.ts';

const id = encodeURIComponent;
/** What whoever saves has seen. */
const seen = (version: number) => ({ 'If-Match': `"${version}"` });
const post = <T>(path: string, body: unknown = {}): Promise<T> => send<T>(path, { method: 'POST', body });

/** Narrowing of a list of runs. */
export interface RunFilter {
  readonly flowId?: string;
  readonly version?: string;
  readonly status?: string;
  readonly since?: string;
  readonly until?: string;
  readonly code?: string;
  readonly recordId?: string;
  readonly q?: string;
  readonly cursor?: string;
}

/** Narrowing of a list of records. */
export interface RecordFilter {
  readonly search?: string;
  readonly status?: string;
  readonly cursor?: string;
}

/** Where to send the browser to authorise a connection. */
export interface Authorize {
  readonly connector: string;
  readonly environment: 'sandbox' | 'live';
  /** Page of the studio to come back to, with `?connected=` or `?connect_error=`. */
  readonly returnTo: string;
  /** Renews this one instead of making another. */
  readonly connectionId?: string;
}

/** Every route of the engine the studio calls; each throws `ApiProblem`. */
export const api = {
  session: {
    options: () => send<SignInOptions>('/api/session'),
    signIn: (email: string, password: string) => post<Me>('/api/session', { email, password }),
    demo: () => post<Me>('/api/session/demo'),
    signOut: () => send<void>('/api/session', { method: 'DELETE' }),
    me: () => send<Me>('/api/me'),
    switchCompany: (companyId: string) => post<Me>('/api/me/company', { companyId }),
  },
  catalog: () => send<CatalogInfo>('/api/catalog'),
  flows: {
    list: () => send<Page<FlowSummary>>('/api/flows'),
    interfaces: () => send<readonly FlowInfo[]>('/api/flows/interfaces'),
    create: (name: string) => post<FlowDetail>('/api/flows', { name }),
    get: (flow: string) => send<FlowDetail>(`/api/flows/${id(flow)}`),
    remove: (flow: string) => send<void>(`/api/flows/${id(flow)}`, { method: 'DELETE' }),
    saveDraft: (flow: string, revision: number, draft: { readonly name: string; readonly document: FlowDocument }) =>
      send<DraftSaved>(`/api/flows/${id(flow)}/draft`, {
        method: 'PUT',
        body: draft,
        headers: { 'If-Match': `"${revision}"` },
      }),
    /** Publishes this revision of the draft and no other. */
    publish: (flow: string, revision: number, note?: string) =>
      send<FlowPublished>(`/api/flows/${id(flow)}/publish`, {
        method: 'POST',
        body: note ? { note } : {},
        headers: seen(revision),
      }),
    /** Of a version, or of the draft, if it were published. */
    brokenCallers: (flow: string, version?: string) =>
      send<readonly BrokenCaller[]>(`/api/flows/${id(flow)}/broken-callers`, { query: { version } }),
    switch: (flow: string, on: boolean) => post<FlowSummary>(`/api/flows/${id(flow)}/switch`, { on }),
    start: (flow: string, values: Readonly<Record<string, unknown>>) =>
      post<{ readonly eventId: string }>(`/api/flows/${id(flow)}/start`, { values }),
    versions: (flow: string) => send<readonly FlowVersionSummary[]>(`/api/flows/${id(flow)}/versions`),
    version: (flow: string, number: number) => send<FlowVersionDetail>(`/api/flows/${id(flow)}/versions/${number}`),
    rollBack: (flow: string, number: number, note?: string) =>
      post<FlowPublished>(`/api/flows/${id(flow)}/versions/${number}/publish`, note ? { note } : {}),
    triggers: (flow: string) => send<readonly TriggerInfo[]>(`/api/flows/${id(flow)}/triggers`),
    triggerSecret: (flow: string, nodeId: string) =>
      post<WebhookSecret>(`/api/flows/${id(flow)}/triggers/${id(nodeId)}/secret`),
    replaceTriggerSecret: (flow: string, nodeId: string, secret?: string) =>
      send<WebhookSecret>(`/api/flows/${id(flow)}/triggers/${id(nodeId)}/secret`, {
        method: 'PUT',
        body: secret ? { secret } : {},
      }),
    test: (flow: string, request: TestRequest) =>
      post<{ readonly runId: string }>(`/api/flows/${id(flow)}/tests`, request),
    pins: (flow: string) => send<readonly FlowPin[]>(`/api/flows/${id(flow)}/pins`),
    pin: (flow: string, nodeId: string, pin: { readonly output: unknown; readonly port: string }) =>
      send<void>(`/api/flows/${id(flow)}/pins/${id(nodeId)}`, { method: 'PUT', body: pin }),
    unpin: (flow: string, nodeId: string) =>
      send<void>(`/api/flows/${id(flow)}/pins/${id(nodeId)}`, { method: 'DELETE' }),
    samples: (flow: string, nodeId?: string) =>
      send<readonly Sample[]>(`/api/flows/${id(flow)}/samples`, { query: { nodeId } }),
  },
  expressions: {
    preview: (source: string, context: unknown, signal?: AbortSignal) =>
      send<Preview>('/api/expressions/preview', {
        method: 'POST',
        body: { source, context },
        ...(signal ? { signal } : {}),
      }),
  },
  runs: {
    list: (filter: RunFilter = {}) => send<Page<RunSummary>>('/api/runs', { query: { ...filter } }),
    get: (run: string, round?: { readonly loop: string; readonly round: number }) =>
      send<RunDetail>(`/api/runs/${id(run)}`, { query: { loop: round?.loop, round: round && String(round.round) } }),
    step: (run: string, nodeId: string, iteration: string) =>
      send<StepData>(`/api/runs/${id(run)}/steps/${id(nodeId)}`, { query: { iteration } }),
    cancel: (run: string) => post<void>(`/api/runs/${id(run)}/cancel`),
    decide: (run: string, nodeId: string, decision: StepDecision) =>
      post<void>(`/api/runs/${id(run)}/steps/${id(nodeId)}/decide`, decision),
    wake: (run: string, nodeId: string, iteration = '') =>
      post<void>(`/api/runs/${id(run)}/steps/${id(nodeId)}/wake`, { iteration }),
    rerun: (run: string, request: RerunRequest) => post<Rerun>(`/api/runs/${id(run)}/rerun`, request),
    errors: (filter: Pick<RunFilter, 'flowId' | 'since'> = {}) =>
      send<readonly ErrorGroup[]>('/api/runs/errors', { query: { ...filter } }),
    groups: () => send<readonly StuckGroup[]>('/api/runs/groups'),
    decideGroup: (fingerprint: string, decision: GroupDecision) =>
      post<GroupOutcome>(`/api/runs/groups/${id(fingerprint)}/decide`, decision),
  },
  tasks: {
    list: (view: string, cursor?: string) => send<Page<TaskSummary>>('/api/tasks', { query: { view, cursor } }),
    count: () => send<{ readonly mine: number }>('/api/tasks/count'),
    get: (task: string) => send<TaskDetail>(`/api/tasks/${id(task)}`),
    decide: (task: string, decision: TaskDecisionRequest) =>
      post<TaskDetail>(`/api/tasks/${id(task)}/decide`, decision),
    delegate: (task: string, to: string, seatId?: string) =>
      post<TaskDetail>(`/api/tasks/${id(task)}/delegate`, { to, ...(seatId ? { seatId } : {}) }),
    makeLink: (task: string, seat: string) =>
      post<{ readonly url: string; readonly expiresAt: string }>(`/api/tasks/${id(task)}/seats/${id(seat)}/link`),
    revokeLink: (task: string, seat: string) =>
      send<void>(`/api/tasks/${id(task)}/seats/${id(seat)}/link`, { method: 'DELETE' }),
  },
  /** Without a session: what a link leads to. */
  approve: {
    look: (token: string) => send<LinkedQuestion>(`/api/approve/${id(token)}`),
    decide: (token: string, decision: TaskDecisionRequest) => post<void>(`/api/approve/${id(token)}`, decision),
  },
  queue: (shown: number, flowId?: string) => send<Queue>('/api/queue', { query: { shown: String(shown), flowId } }),
  decideWaiting: (decision: WaitingDecision) => post<WaitingOutcome>('/api/queue/waiting', decision),
  dropEvents: (request: DropRequest) => post<DropOutcome>('/api/queue/drop', request),
  eventDrops: () => send<readonly EventDrop[]>('/api/queue/drops'),
  putBack: (drop: string) => post<EventDrop>(`/api/queue/drops/${id(drop)}/restore`),
  putFirst: (kind: string, key: string) => post<{ readonly count: number }>('/api/queue/first', { kind, key }),
  integrations: () => send<readonly IntegrationCard[]>('/api/integrations'),
  connections: {
    list: () => send<readonly ConnectionSummary[]>('/api/connections'),
    get: (connection: string) => send<ConnectionSummary>(`/api/connections/${id(connection)}`),
    authorize: (request: Authorize) => post<{ readonly url: string }>('/api/connections/authorize', request),
    logs: (connection: string) => send<readonly IntegrationLog[]>(`/api/connections/${id(connection)}/logs`),
    options: (connection: string, name: string, query?: string) =>
      send<readonly Choice[]>(`/api/connections/${id(connection)}/options/${id(name)}`, { query: { query } }),
    test: (connection: string) => post<ConnectionSummary>(`/api/connections/${id(connection)}/test`),
    disconnect: (connection: string) => send<void>(`/api/connections/${id(connection)}`, { method: 'DELETE' }),
  },
  templates: {
    list: () => send<readonly TemplateSummary[]>('/api/templates'),
    get: (slug: string) => send<TemplateDetail>(`/api/templates/${id(slug)}`),
    install: (slug: string, request: InstallRequest) => post<FlowDetail>(`/api/templates/${id(slug)}/install`, request),
  },
  records: {
    entities: () => send<readonly EntityInfo[]>('/api/records'),
    list: (entity: string, filter: RecordFilter = {}) =>
      send<Page<RecordRow>>(`/api/records/${id(entity)}`, { query: { ...filter } }),
    get: (entity: string, record: string) => send<RecordDetail>(`/api/records/${id(entity)}/${id(record)}`),
    setInvoiceStatus: (record: string, to: 'approved' | 'rejected' | 'paid') =>
      post<RecordDetail>(`/api/records/vendor_invoice/${id(record)}/status`, { to }),
  },
  valueMaps: {
    list: () => send<readonly ValueMapSummary[]>('/api/value-maps'),
    create: (draft: ValueMapDraft) => post<ValueMapDetail>('/api/value-maps', draft),
    get: (map: string, version?: number) =>
      send<ValueMapDetail>(`/api/value-maps/${id(map)}`, { query: { version: version?.toString() } }),
    save: (map: string, version: number, table: ValueMapSave) =>
      send<ValueMapDetail>(`/api/value-maps/${id(map)}`, { method: 'PUT', body: table, headers: seen(version) }),
    remove: (map: string) => send<void>(`/api/value-maps/${id(map)}`, { method: 'DELETE' }),
    versions: (map: string) => send<readonly ValueMapVersion[]>(`/api/value-maps/${id(map)}/versions`),
    changes: (map: string, number: number) =>
      send<ValueMapDiff>(`/api/value-maps/${id(map)}/versions/${number}/changes`),
    restore: (map: string, version: number, number: number) =>
      send<ValueMapDetail>(`/api/value-maps/${id(map)}/versions/${number}/restore`, {
        method: 'POST',
        headers: seen(version),
      }),
    import: (map: string, version: number, file: ValueMapImport) =>
      send<ValueMapImported>(`/api/value-maps/${id(map)}/import`, {
        method: 'POST',
        body: file,
        headers: seen(version),
      }),
    usage: (map: string) => send<readonly ValueMapUse[]>(`/api/value-maps/${id(map)}/usage`),
    /** Where the file is, for a link. */
    csv: (map: string, version?: number) =>
      `/api/value-maps/${id(map)}/csv${version === undefined ? '' : `?version=${version}`}`,
  },
  notifications: () => send<readonly Notice[]>('/api/notifications'),
  markNotificationsRead: (ids: readonly string[]) => post<void>('/api/notifications/read', { ids }),
  // What is wrong is told with 503, in the same words.
  health: () => send<Health>('/api/health', { alsoFine: [503] }),
  accounting: () => send<Accounting>('/api/health/accounting'),
};
