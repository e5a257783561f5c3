/**
 * What the API takes and answers. Times are ISO strings with offset, money is a decimal string with two places, ids are opaque.
 * Errors are problem+json (RFC 9457): `Problem`.
 *
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
 *   POST   /api/flows/:id/publish                { note? } → FlowPublished; 422 `flow_invalid` with findings; with If-Match only that revision of the draft, else
 *                                              409 `revision_conflict`
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
 *   PUT    /api/flows/:id/pins/:nodeId           { output, port? } → 204   (a step of the draft, to a way out that it has)
 *   DELETE /api/flows/:id/pins/:nodeId           204
 *   POST   /api/expressions/preview              { source, context } → Preview
 *   GET    /api/runs?flowId&version&eventId&status&since&until&code&recordId&q&cursor   Page<RunSummary>
 *   GET    /api/runs/errors?flowId&since         ErrorGroup[]
 *   GET    /api/runs/:id?loop&round              RunDetail   (of a long run: with that round of that loop, whatever else is left out)
 *   GET    /api/runs/:id/steps/:nodeId?iteration  StepData   (also where the run's detail withholds it)
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
export type { CatalogInfo } from '@plumbline/workflows/flow';
export type * from './approvals.ts';
export type * from './common.ts';
export type * from './connections.ts';
export type * from './flows.ts';
export type * from './health.ts';
export type * from './queue.ts';
export type * from './records.ts';
export type * from './run-groups.ts';
export type * from './runs.ts';
export type * from './templates.ts';
export type * from './value-maps.ts';
