import { entities, type Entity } from '@plumbline/db';

/** What an event is about, in words: `Vendor invoice INV-10412, Ridge Framing`. */
export function describeSubject(key: string, data: Readonly<Record<string, unknown>>): string | null {
  const entity = (entities as Readonly<Record<string, Entity>>)[key.split('.')[0] ?? ''];
  const record = data['record'];
  if (!entity || typeof record !== 'object' || record === null) return null;
  const fields = record as Record<string, unknown>;
  const vendor =
    entity.label === 'number' && typeof fields['vendorName'] === 'string' ? `, ${fields['vendorName']}` : '';
  return `${entity.title} ${String(fields[entity.label] ?? '')}${vendor}`;
}

/** What an event that is about no record is called. */
export const eventWords = {
  webhook: 'A webhook',
  record: 'A record changed',
  schedule: 'A set time',
  manual: 'Started by hand',
  connector: 'News from a vendor',
  poll: 'Something new',
  call: 'A call to our API',
  flow_error: 'Trouble in a flow',
  connection_state: 'A connection changed',
} as const;

/** What started a run: a record's change by its name, everything else by its kind, since its key is only an address. */
export function describeTrigger(kind: string | null, key: string | null): string {
  return (kind === 'record' ? key : kind) ?? 'unknown';
}
