import type { ChangeAuthors, FlowVersionSummary } from '@plumbline/engine/contract';

/** What is asked of a version to know who changed what in it. */
type Version = Pick<FlowVersionSummary, 'number' | 'planHash' | 'publishedAt' | 'publishedBy' | 'authors'>;

export interface Comparison {
  /** All there are, in any order. */
  readonly versions: readonly Version[];
  /** Of the draft's changes since the live version. */
  readonly draft: ChangeAuthors;
  /** A version's number, or infinity for the draft. */
  readonly from: number;
  readonly to: number;
}

/**
 * Who changed what on the way from one version to a later one, newest first: everybody who did so in a version after the older one, up to and with the newer one.
 * On the way back nobody did anything.
 */
export function authorsBetween({ versions, draft, from, to }: Comparison): ChangeAuthors {
  if (!(from < to)) return {};
  const between = authorsByVersion(versions).filter(({ number }) => number > from && number <= to);
  return merge([...between.map(({ authors }) => authors), ...(to === Infinity ? [draft] : [])]);
}

/**
 * A version that was published by rolling back has no authors of its own: whoever published it changed back what was changed since the version it repeats.
 * Published again without any change, it repeats the one before, and nobody changed anything.
 */
function authorsByVersion(versions: readonly Version[]): readonly Pick<Version, 'number' | 'authors'>[] {
  const known: (Pick<Version, 'number' | 'authors'> & { readonly planHash: string })[] = [];
  for (const version of versions.toSorted((a, b) => a.number - b.number)) {
    const { number, planHash, publishedAt, publishedBy } = version;
    let { authors } = version;
    const repeated = known.findLastIndex((earlier) => earlier.planHash === planHash);
    if (Object.keys(authors).length === 0 && publishedBy !== null && repeated >= 0) {
      const items = known.slice(repeated + 1).flatMap((undone) => Object.keys(undone.authors));
      authors = Object.fromEntries(items.map((item) => [item, [{ name: publishedBy, at: publishedAt }]]));
    }
    known.push({ number, planHash, authors });
  }
  return known;
}

function merge(all: readonly ChangeAuthors[]): ChangeAuthors {
  const items = new Set(all.flatMap((authors) => Object.keys(authors)));
  return Object.fromEntries(
    [...items].map((item) => {
      const people = all
        .flatMap((authors) => authors[item] ?? [])
        .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
      return [item, people.filter(({ name }, index) => people.findIndex((other) => other.name === name) === index)];
    }),
  );
}
