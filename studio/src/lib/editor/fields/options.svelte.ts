import type { Choice } from '@plumbline/engine/contract';
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';

/** Choices of one connection by name: vendors, accounts, channels. */
export interface Choices {
  readonly list: readonly Choice[];
  readonly loading: boolean;
  readonly error: string | undefined;
}

const none: Choices = { list: [], loading: false, error: undefined };
const known = new SvelteMap<string, Choices>();

/** What has been fetched of a connection's choices. Safe to read while drawing; `fetchChoices` gets them. */
export function choicesOf(connectionId: string | null | undefined, name: string): Choices {
  return (connectionId && known.get(`${connectionId}/${name}`)) || none;
}

/** Fetches a connection's choices once; again after an error. */
export async function fetchChoices(connectionId: string, name: string, anew = false): Promise<void> {
  const key = `${connectionId}/${name}`;
  const before = known.get(key);
  if (before && !anew && !before.error) return;
  known.set(key, { list: before?.list ?? [], loading: true, error: undefined });
  try {
    known.set(key, { list: await api.connections.options(connectionId, name), loading: false, error: undefined });
  } catch (error) {
    known.set(key, { list: [], loading: false, error: asProblem(error).detail });
  }
}

/** Fetches what the company itself has, once: its flows, its connections. Read with `choicesOf('company', …)`. */
export async function fetchCompanyChoices(name: 'flows' | 'connections'): Promise<void> {
  const key = `company/${name}`;
  if (known.has(key) && !known.get(key)?.error) return;
  known.set(key, { list: [], loading: true, error: undefined });
  try {
    const all = name === 'flows' ? (await api.flows.list()).items : await api.connections.list();
    known.set(key, {
      list: all.map((one) => ({ value: one.id, label: one.name })),
      loading: false,
      error: undefined,
    });
  } catch (error) {
    known.set(key, { list: [], loading: false, error: asProblem(error).detail });
  }
}
