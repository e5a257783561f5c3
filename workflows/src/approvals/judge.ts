/** Where a stage stands after what was decided in it. */
export type Verdict =
  | { readonly kind: 'open' }
  /** Enough have approved. */
  | { readonly kind: 'approved' }
  /** One answered otherwise: that ends the whole question. */
  | { readonly kind: 'ended'; readonly outcome: string };

/** Judges a stage by its decisions, in their order. The first answer that is no approval ends it; until then it takes `need` approvals. */
export function judgeStage(need: number, decided: readonly string[]): Verdict {
  let approvals = 0;
  for (const outcome of decided) {
    if (outcome !== 'approved') return { kind: 'ended', outcome };
    approvals += 1;
    if (approvals >= need) return { kind: 'approved' };
  }
  return { kind: 'open' };
}

/** How many of those who are asked must approve; undefined when there are not so many. */
export function needOf(need: 'any' | 'all' | 'some', count: number | undefined, asked: number): number | undefined {
  const wanted = need === 'any' ? 1 : need === 'all' ? asked : (count ?? 1);
  return wanted >= 1 && wanted <= asked ? wanted : undefined;
}
