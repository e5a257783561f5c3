import { ConnectorFailure } from '../sdk/index.ts';

/** What a data step throws when its configuration or the data it got is not usable. The message names the row and the field, and says what to do. */
export function badInput(code: string, message: string, cause?: unknown): ConnectorFailure {
  return new ConnectorFailure({ kind: 'invalid', code, message, cause });
}

/** A value as it stands in a message: the start of it, and never a whole record. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a group of fields' : String(value);
}
