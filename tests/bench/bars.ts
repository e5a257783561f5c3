/** What the figures must come to: named by what is compared, with how they stand to each other. */
const bars: readonly { readonly name: string; readonly reached: (of: Figures) => boolean | undefined }[] = [
  { name: 'six times hand-written Temporal with local activities', reached: ratio('b1_runs_per_s', 6) },
  { name: 'as fast with one run per carrier', reached: ratio('b1_one_per_carrier_runs_per_s', 1) },
  {
    name: 'idle p50 at most 1.3 times theirs',
    reached: (of) => both(of, 'b1_idle_p50_ms', 'temporal_local_idle_p50_ms', (ours, theirs) => ours <= 1.3 * theirs),
  },
  { name: 'a burst is acknowledged with p50 of 20 ms', reached: (of) => atMost(of, 'burst_ack_p50_ms', 20) },
  { name: 'a burst is acknowledged with p99 of 250 ms', reached: (of) => atMost(of, 'burst_ack_p99_ms', 250) },
  { name: 'a burst is acknowledged within 3 s', reached: (of) => atMost(of, 'burst_ack_max_ms', 3_000) },
  {
    name: '10,000 waiting runs cost at most three times as much each as 100',
    reached: (of) => both(of, 'waiting_10000_ms_per_run', 'waiting_100_ms_per_run', (many, few) => many <= 3 * few),
  },
  { name: 'nothing is doubled', reached: (of) => atMost(of, 'doubled', 0) },
];

type Figures = Readonly<Record<string, number>>;

export interface Bar {
  readonly name: string;
  readonly reached: boolean;
}

/** Which bars these figures reach, and which not; those whose figures were not taken are left out. */
export function judge(figures: Figures): readonly Bar[] {
  return bars.flatMap(({ name, reached }) => {
    const answer = reached(figures);
    return answer === undefined ? [] : { name, reached: answer };
  });
}

function ratio(name: string, least: number): (of: Figures) => boolean | undefined {
  return (of) => both(of, name, 'temporal_local_runs_per_s', (ours, theirs) => ours >= least * theirs);
}

function both(
  of: Figures,
  one: string,
  other: string,
  holds: (one: number, other: number) => boolean,
): boolean | undefined {
  const [first, second] = [of[one], of[other]];
  return first === undefined || second === undefined ? undefined : holds(first, second);
}

function atMost(of: Figures, name: string, most: number): boolean | undefined {
  const figure = of[name];
  return figure === undefined ? undefined : figure <= most;
}
