import type { StepDetail } from '@plumbline/engine/contract';

/** A way out of trouble, as a button. */
export interface Suggestion {
  readonly act: 'reconnect' | 'retry' | 'edit' | 'mapping' | 'skip' | 'error_port' | 'rerun';
  readonly label: string;
}

interface Trouble {
  readonly step: StepDetail;
  /** Whether the step works with an account. */
  readonly connected: boolean;
  /** Whether the flow has drawn a way for this step's errors. */
  readonly errorWay: boolean;
}

const reconnect: Suggestion = { act: 'reconnect', label: 'Reconnect' };
const retry: Suggestion = { act: 'retry', label: 'Retry' };
const edit: Suggestion = { act: 'edit', label: 'Edit input and retry…' };
const mapping: Suggestion = { act: 'mapping', label: 'Open the mapping' };
const skip: Suggestion = { act: 'skip', label: 'Skip with output…' };
const errorPort: Suggestion = { act: 'error_port', label: 'Take the error way…' };
const rerun: Suggestion = { act: 'rerun', label: 'Run again from here…' };

/** What is likely to help by what went wrong, the likeliest first. */
const likely: Readonly<Record<string, readonly Suggestion[]>> = {
  unavailable: [retry, skip],
  throttled: [retry, skip],
  reauthorize: [reconnect, retry, skip],
  forbidden: [reconnect, retry, skip],
  invalid: [edit, mapping, retry, skip],
  not_found: [edit, mapping, retry, skip],
  conflict: [retry, edit, skip],
  closed_period: [edit, retry, skip],
  // It may have gone through: doing it again is the second thought.
  ambiguous: [skip, retry],
  contract: [retry, skip],
  bug: [retry, edit, skip],
};

/** The ways out of a step's trouble; the first is the one to try. Empty for a step that needs none. */
export function suggestions({ step, connected, errorWay }: Trouble): readonly Suggestion[] {
  const { error, status } = step;
  // What an expression trips over is in the mapping, whatever its kind is called.
  const byKind = likely[error?.kind ?? ''] ?? [mapping, edit, retry, skip];
  if (status === 'parked')
    return [...byKind, ...(errorWay ? [errorPort] : [])].filter(({ act }) => act !== 'reconnect' || connected);
  if (status !== 'failed' || step.port === 'error') return [];
  return [...byKind.filter(({ act }) => act === 'mapping' || (act === 'reconnect' && connected)), rerun];
}

/** What kind of trouble it is, in a word or three. */
export function classOf(kind: string): string {
  return classes[kind] ?? 'In the mapping';
}

const classes: Readonly<Record<string, string>> = {
  unavailable: 'Outage at the app',
  throttled: 'Too many requests',
  reauthorize: 'Sign-in has ended',
  forbidden: 'Not allowed',
  invalid: 'Not accepted',
  not_found: 'Not there',
  conflict: 'Changed on both sides',
  closed_period: 'Books are closed',
  ambiguous: 'Sent, no answer',
  contract: 'Unknown answer',
  bug: 'Ours to fix',
};
