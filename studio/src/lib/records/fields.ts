import type { EntityInfo } from '@plumbline/engine/contract';
import { words } from '../format.ts';

export type FieldKind = 'text' | 'money' | 'date' | 'moment' | 'status';

/** A field of a record, ready to show. */
export interface ShownField {
  readonly field: string;
  readonly title: string;
  readonly kind: FieldKind;
  readonly value: unknown;
}

/** What stands elsewhere on the page, or means nothing to a reader. */
const hidden = new Set(['lines', 'currency', 'status', 'id']);

/** A record's own fields: the list's columns first, then the rest; ids of other records are left to their names. */
export function shownFields(entity: EntityInfo, data: Readonly<Record<string, unknown>>): readonly ShownField[] {
  const columns = new Map(entity.columns.map((column) => [column.field, column]));
  const rest = Object.keys(data).filter((field) => !columns.has(field) && !field.endsWith('Id'));
  return [...columns.keys(), ...rest]
    .filter((field) => !hidden.has(field) && typeof data[field] !== 'object')
    .map((field) => ({
      field,
      title: columns.get(field)?.title ?? words(field),
      kind: columns.get(field)?.kind ?? kindOf(data[field]),
      value: data[field],
    }));
}

function kindOf(value: unknown): FieldKind {
  if (typeof value !== 'string') return 'text';
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return 'date';
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(value)) return 'moment';
  return /^-?\d+\.\d{2}$/.test(value) ? 'money' : 'text';
}

/** A line of an invoice. */
export interface RecordLine {
  readonly costCode?: string;
  readonly description?: string;
  readonly amount?: string;
}

/** The lines of a record that has any. */
export function linesOf(data: Readonly<Record<string, unknown>>): readonly RecordLine[] {
  return Array.isArray(data['lines']) ? (data['lines'] as RecordLine[]) : [];
}

/** What people call it: its number, else its name. */
export function nameOf(data: Readonly<Record<string, unknown>>): string {
  const name = data['number'] ?? data['name'] ?? data['code'];
  return typeof name === 'string' ? name : 'Record';
}
