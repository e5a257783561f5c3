import proto, { type temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;

const { History } = proto.temporal.api.history.v1;

/** A history as JSON, without what differs from one recording to the next: who, where, when, under which random id. */
export function canonicalHistory(history: History): unknown {
  const json = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  const { events = [] } = json as { readonly events?: readonly { readonly eventTime?: Time }[] };
  const shift = EPOCH - Number(events[0]?.eventTime?.seconds ?? EPOCH);
  const ids = new Map<string, string>();
  const clean = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) return value.map((item) => clean(item, name));
    if (isTime(value) && name.endsWith('Time')) return { ...value, seconds: String(Number(value.seconds) + shift) };
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => !dropped.has(key))
          .map(([key, item]) => [key, clean(item, key)]),
      );
    if (typeof value !== 'string') return value;
    if (name === 'identity') return 'recorder';
    // A sticky queue has the name of its worker.
    if (name === 'name' && value.includes('@')) return 'sticky';
    return value.replaceAll(uuid, (id) => {
      if (id.startsWith(OWN_IDS)) return id;
      const known = ids.get(id) ?? `00000000-0000-4000-9000-${String(ids.size + 1).padStart(12, '0')}`;
      ids.set(id, known);
      return known;
    });
  };
  return clean(json);
}

/** The other way. */
export function historyOf(json: unknown): History {
  return History.fromObject(json as Record<string, unknown>);
}

/** Ids of ours begin like this: they stand in payloads too, and stay as they are. */
export const OWN_IDS = '00000000-0000-4000-8000-';

/** The first event of each history: 1 January 2026. */
const EPOCH = Date.parse('2026-01-01T00:00:00Z') / 1_000;

/** Paths of a machine, versions of a server, and what nobody replays. */
const dropped = new Set(['stackTrace', 'binaryChecksum', 'workerVersion', 'taskId', 'historySizeBytes']);
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

interface Time {
  readonly seconds: string;
  readonly nanos?: number;
}

function isTime(value: unknown): value is Time {
  return typeof value === 'object' && value !== null && 'seconds' in value;
}
