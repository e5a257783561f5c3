import type { FlowDocument } from '@plumbline/workflows/flow';
import { words } from '../../format.ts';
import type { PlainPath } from './path.ts';

/** A path in the words of the drawing: "3 Create the bill › Number". */
export interface ReadablePath {
  /** Step number shown in front; absent for settings, run and company. */
  readonly step: number | undefined;
  readonly from: string;
  readonly field: string;
}

/** What a pill says about a path. */
export function readablePath(
  path: PlainPath,
  document: FlowDocument,
  numbers: ReadonlyMap<string, number>,
  triggerId: string | undefined,
): ReadablePath {
  const tail = (names: readonly string[]) =>
    names
      .filter((name, index) => !(index === 0 && name === 'record' && names.length > 1))
      .map(words)
      .join(' › ');
  const [first = '', ...rest] = path.names;
  switch (path.root) {
    case 'trigger':
      return {
        step: triggerId === undefined ? undefined : numbers.get(triggerId),
        from: 'Trigger',
        field: tail(path.names),
      };
    case 'steps':
      return { step: numbers.get(first), from: document.nodes[first]?.name ?? first, field: tail(rest) };
    case 'loop':
      return { step: undefined, from: 'This turn', field: tail(path.names) };
    case 'loops':
      return { step: numbers.get(first), from: document.nodes[first]?.name ?? first, field: tail(rest) };
    case 'params':
      return { step: undefined, from: 'Setting', field: document.params[first]?.title ?? words(first) };
    case 'run':
      return { step: undefined, from: 'Run', field: tail(path.names) };
    case 'company':
      return { step: undefined, from: 'Company', field: tail(path.names) };
  }
}
