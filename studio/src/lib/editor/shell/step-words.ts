import type { FlowDocument, Join, RetryPolicy } from '@plumbline/workflows/flow';
import { within, type TypesOf } from '../document/containers.ts';

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

export type DurationUnit = (typeof units)[number][0];

/** Seconds as people fill them in: 5400 is 90 minutes, 86400 is 1 day. */
export function splitSeconds(seconds: number): { readonly amount: number; readonly unit: DurationUnit } {
  const [unit, size] = units.find(([, length]) => seconds >= length && seconds % length === 0) ?? units[3];
  return { amount: seconds / size, unit };
}

export function joinSeconds(amount: number, unit: DurationUnit): number {
  return amount * (units.find(([name]) => name === unit)?.[1] ?? 1);
}

/** "about 1 minute", "2 hours": the largest unit that says enough. */
export function spanInWords(seconds: number): string {
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? units[3];
  const amount = Math.max(1, Math.round(seconds / size));
  const exact = Math.abs(amount * size - seconds) < 0.001;
  return `${exact ? '' : 'about '}${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

/** "5 tries over about 30 seconds": waits double from try to try, up to an hour each. */
export function retryInWords({ attempts, initialSeconds }: RetryPolicy): string {
  if (attempts === 1) return 'One try, no second.';
  let total = 0;
  for (let wait = initialSeconds, left = attempts - 1; left > 0; left--, wait *= 2) total += Math.min(wait, 3_600);
  return `${attempts} tries over ${spanInWords(total)}.`;
}

/** What a step waits for, where several ways lead to it. */
export function joinInWords(join: Join | undefined, ways: number): string {
  const { mode, timeoutSeconds } = join ?? { mode: 'any', timeoutSeconds: undefined };
  const what =
    mode === 'all'
      ? `It starts when all ${ways} ways into it are done; where one is not taken, it is passed over.`
      : mode === 'count' && join?.mode === 'count'
        ? `It starts as soon as ${join.count} of the ${ways} ways into it are done, once; the rest goes on by itself and changes nothing here.`
        : 'It starts when every way that is taken is done, and only once; one that is not taken is not waited for.';
  if (timeoutSeconds === undefined) return what;
  return `${what} ${spanInWords(timeoutSeconds).replace(/^./, (first) => first.toUpperCase())} after the first it goes on with what is there.`;
}

/** What undoing a run would do when a step fails: of the steps before it that write something. */
export interface Undoing {
  readonly nodeId: string;
  readonly name: string;
  /** Absent where it cannot be undone. */
  readonly undo: string | undefined;
}

export function undoingOf(document: FlowDocument, types: TypesOf, before: ReadonlySet<string>): readonly Undoing[] {
  // A loop that came before has done what stands inside it.
  return [...new Set([...before, ...within(document, before)])].flatMap((nodeId) => {
    const type = types.get(nodeId);
    const writes = type?.effect === 'create' || type?.effect === 'upsert';
    return writes ? [{ nodeId, name: document.nodes[nodeId]?.name ?? nodeId, undo: type.undo }] : [];
  });
}
