/** A stage, as far as it takes to say for whom it waits. */
export interface WaitingStage {
  readonly need: number;
  readonly approved: number;
  /** Names of those who have not decided. */
  readonly open: readonly string[];
}

/** For whom a question waits: "Ana", "one of Ben, Cal, then Dana", "2 of Ana, Ben, Cal". The first stage is the one that is asked. */
export function waitingWords(stages: readonly WaitingStage[]): string {
  return stages
    .map(({ need, approved, open }) => {
      const left = Math.max(1, need - approved);
      if (open.length === 0) return 'nobody';
      if (left >= open.length)
        return open.length === 1 ? String(open[0]) : `${open.slice(0, -1).join(', ')} and ${open.at(-1)}`;
      return `${left === 1 ? 'one' : left} of ${open.join(', ')}`;
    })
    .join(', then ');
}
