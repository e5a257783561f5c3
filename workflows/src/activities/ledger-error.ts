import { DataError } from '@plumbline/db';
import { isConnectorFailure } from '@plumbline/nodes';

/** Codes of a database that is out of reach, is shutting down, or had to choose between two transactions. */
const passing = /^(08|53|57|58|40)[0-9A-Z]{3}$/;
const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/**
 * Whether our own database failed, and not the step: nothing can be recorded then, so the whole activity is tried again instead. What a vendor or a
 * mapping does wrong never comes as such an error.
 */
export function isLedgerError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DataError || isConnectorFailure(error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (passing.test(code) || network.has(code))) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|driver has already been destroyed/.test(
    error.message,
  );
}
