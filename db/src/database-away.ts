const codes = /^(08[0-9A-Z]{3}|57P0[0-9]|53300)$/;
const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);
const texts =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|driver has already been destroyed/i;

/** Whether the database could not be reached, broke off, or is starting or stopping: not what was asked, but that it was asked now, is the trouble. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (codes.test(code) || network.has(code))) return true;
  return texts.test(error.message);
}
