import type { StepDetail } from '@plumbline/engine/contract';

/** The row that a step misses in a value map: which one, and its key where that is one value. */
export interface MissingRow {
  readonly map: string;
  readonly name: string;
  readonly key: string;
}

/** What is missing, for a step that found no row in a value map. */
export function missingRow(
  type: string | undefined,
  step: Pick<StepDetail, 'input' | 'error'> | undefined,
): MissingRow | undefined {
  if (type !== 'core.lookup' || !step || !['lookup_missing', 'default_missing'].includes(step.error?.code ?? ''))
    return undefined;
  const { map, source, value } = (step.input ?? {}) as {
    readonly map?: { readonly id?: string; readonly name?: string };
    readonly source?: string;
    readonly value?: unknown;
  };
  if (source !== 'map' || !map?.id) return undefined;
  const key = typeof value === 'object' && value !== null ? (Object.values(value)[0] as unknown) : value;
  return { map: map.id, name: map.name ?? 'the value map', key: String(key ?? '') };
}
