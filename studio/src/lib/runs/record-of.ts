import type { RunDetail } from '@plumbline/engine/contract';

/** The company's record a run is about, when a record started it. */
export function recordOf(run: RunDetail): { readonly entity: string; readonly id: string } | undefined {
  const { event } = run;
  if (event?.kind !== 'record') return undefined;
  const entity = event.key.split('.')[0];
  const data = event.data as { readonly record?: { readonly id?: unknown } } | null;
  const id = data?.record?.id;
  return entity && typeof id === 'string' ? { entity, id } : undefined;
}
