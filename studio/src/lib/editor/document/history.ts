/** One step that can be taken back. `merge` names what was being typed, so that a word is one step and not five. */
interface Entry<T> {
  readonly label: string;
  readonly state: T;
  readonly merge: string | undefined;
  readonly at: number;
}

/** States of a document with what lies before and behind. States share structure, so 200 of them are cheap. */
export interface History<T> {
  readonly present: T;
  /** Oldest first; `state` is what undoing brings back. */
  readonly past: readonly Entry<T>[];
  /** Next first; `state` is what redoing brings back. */
  readonly future: readonly Entry<T>[];
}

export const historyDepth = 200;

/** Typing in the same field within this time is one step. */
export const mergeMs = 1_200;

export function startHistory<T>(present: T): History<T> {
  return { present, past: [], future: [] };
}

export interface Change<T> {
  readonly label: string;
  readonly state: T;
  readonly merge?: string | undefined;
  readonly at: number;
}

/** Records a change. What changes nothing leaves no step behind. */
export function record<T>(history: History<T>, { label, state, merge, at }: Change<T>): History<T> {
  if (Object.is(state, history.present)) return history;
  const last = history.past.at(-1);
  if (merge !== undefined && last?.merge === merge && at - last.at <= mergeMs && history.future.length === 0)
    return { present: state, past: [...history.past.slice(0, -1), { ...last, at }], future: [] };
  const entry: Entry<T> = { label, state: history.present, merge, at };
  return { present: state, past: [...history.past, entry].slice(-historyDepth), future: [] };
}

export function undo<T>(history: History<T>): History<T> {
  const last = history.past.at(-1);
  if (!last) return history;
  return {
    present: last.state,
    past: history.past.slice(0, -1),
    future: [{ ...last, state: history.present }, ...history.future],
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...rest] = history.future;
  if (!next) return history;
  // A step that was redone is finished: typing on starts a new one.
  return {
    present: next.state,
    past: [...history.past, { ...next, state: history.present, merge: undefined }],
    future: rest,
  };
}
