import { DataError } from '@plumbline/db';
import { isDatabaseAway } from '@plumbline/db/database-away';
import { isConnectorFailure } from '@plumbline/nodes';

/** Codes of a database that has no room, or had to choose between two transactions. */
const passing = /^(53|57|58|40)[0-9A-Z]{3}$/;

/**
 * Whether our own database failed, and not the step: nothing can be recorded then, so the whole activity is tried again instead. What a vendor or a
 * mapping does wrong never comes as such an error.
 */
export function isLedgerError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DataError || isConnectorFailure(error)) return false;
  const { code } = error as { code?: unknown };
  return isDatabaseAway(error) || (typeof code === 'string' && passing.test(code));
}
