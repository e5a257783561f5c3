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
