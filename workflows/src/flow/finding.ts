/** Every code a compile may report. */
export type FindingCode =
  | 'flow_invalid'
  | 'flow_too_large'
  | 'file_invalid'
  | 'key_forbidden'
  | 'connection_id_given'
  | 'markup_forbidden'
  | 'node_type_unknown'
  | 'trigger_missing'
  | 'trigger_has_input'
  | 'node_unreachable'
  | 'edge_dangling'
  | 'edge_duplicate'
  | 'edge_id_duplicate'
  | 'port_unknown'
  | 'passed_undrawn'
  | 'join_unmet'
  | 'lock_waits_for_itself'
  | 'cycle'
  | 'parent_unknown'
  | 'trigger_in_loop'
  | 'loop_missing'
  | 'loop_empty'
  | 'loop_too_deep'
  | 'edge_crosses_loop'
  | 'undo_missing'
  | 'undo_in_scope'
  | 'connection_missing'
  | 'connection_mismatch'
  | 'required_missing'
  | 'field_unknown'
  | 'type_mismatch'
  | 'expr_syntax'
  | 'expr_forbidden'
  | 'expr_too_long'
  | 'expr_too_deep'
  | 'regex_unsafe'
  | 'path_unknown'
  | 'step_not_upstream'
  | 'step_maybe_skipped'
  | 'param_missing'
  | 'url_forbidden'
  | 'schedule_invalid'
  | 'answer_missing'
  | 'approver_missing'
  | 'approver_unknown'
  | 'approval_too_few'
  | 'approval_count_missing'
  | 'approval_amount_uncovered'
  | 'approval_amount_missing'
  | 'approval_expiry_undrawn'
  | 'approval_form_record'
  | 'flow_missing'
  | 'flow_version_missing'
  | 'flow_not_published'
  | 'flow_takes_no_calls'
  | 'value_map_missing'
  | 'value_map_column_missing'
  | 'value_map_id_given'
  | 'flow_id_given'
  | 'port_duplicate'
  | 'port_reserved';

/** One thing the compiler has to say about a flow. Errors stop publishing, warnings do not. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'error' | 'warning';
  /** Absent when the whole flow is meant. */
  readonly nodeId?: string;
  /** Input field of that node. */
  readonly field?: string;
  /** Offset into the field's expression, in UTF-16 units. */
  readonly at?: { readonly start: number; readonly end: number };
  readonly message: string;
  /** What the reader can do. */
  readonly fix: string;
  /** A replacement the studio can apply with one click. */
  readonly suggestion?: { readonly title: string; readonly source: string };
}
