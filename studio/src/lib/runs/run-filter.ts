import type { RunFilter } from '../api/client.ts';

/** What the address of the list may hold, in the order its tokens are shown. */
const names = ['status', 'flow', 'version', 'when', 'code', 'record', 'q'] as const;
export type FilterName = (typeof names)[number];
export type Chosen = Readonly<Partial<Record<FilterName, string>>>;

/** Spans of time that end now, in hours. */
export const spans: Readonly<Record<string, { readonly label: string; readonly hours: number }>> = {
  hour: { label: 'Last hour', hours: 1 },
  day: { label: 'Last 24 hours', hours: 24 },
  week: { label: 'Last 7 days', hours: 168 },
  month: { label: 'Last 30 days', hours: 720 },
};

/** One thing the list is narrowed by, as it is shown. */
export interface Token {
  readonly name: FilterName;
  readonly text: string;
}

/** What the address says; names it does not know are left alone. */
export function readFilter(params: Pick<URLSearchParams, 'get'>): Chosen {
  return Object.fromEntries(names.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : []))) as Chosen;
}

/** As the API takes it. Spans begin at the full minute, so that the question stays the same while the page refreshes. */
export function toRunFilter({ status, flow, version, when, code, record, q }: Chosen, now: number): RunFilter {
  const hours = when && Object.hasOwn(spans, when) ? spans[when]?.hours : undefined;
  const [since, until] = when?.includes('..') ? when.split('..') : [];
  return {
    ...(status ? { status } : {}),
    ...(flow ? { flowId: flow } : {}),
    ...(version ? { version } : {}),
    ...(code ? { code } : {}),
    ...(record ? { recordId: record } : {}),
    ...(q ? { q } : {}),
    ...(hours ? { since: new Date(Math.floor(now / 60_000) * 60_000 - hours * 3_600_000).toISOString() } : {}),
    ...(isMoment(since) ? { since: new Date(since).toISOString() } : {}),
    ...(isMoment(until) ? { until: new Date(until).toISOString() } : {}),
  };
}

/** What flows and states are called. */
export interface Words {
  readonly flow: (id: string) => string | undefined;
  readonly status: (status: string) => string;
}

/** The tokens of a filter, in words. */
export function tokensOf(chosen: Chosen, called: Words): readonly Token[] {
  const words: Record<FilterName, (value: string) => string> = {
    status: (value) => (value === 'open' ? 'Not ended' : called.status(value)),
    flow: (value) => called.flow(value) ?? 'One flow',
    version: (value) => `Version ${value}`,
    when: (value) => spans[value]?.label ?? `From ${value.replace('..', ' to ')}`,
    code: (value) => `Error ${value}`,
    record: () => 'One record',
    q: (value) => `“${value}”`,
  };
  return names.flatMap((name) => {
    const value = chosen[name];
    return value ? [{ name, text: words[name](value) }] : [];
  });
}

function isMoment(text: string | undefined): text is string {
  return text !== undefined && text !== '' && !Number.isNaN(Date.parse(text));
}
