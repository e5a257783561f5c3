/** Its connections or its disk are used up, it stops, or it is not there. */
const codes = /^(08[0-9A-Z]{3}|57P0[0-9]|53[13]00)$/;
/** The last two: this process, or the machine, has no descriptor left for a connection. */
const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EMFILE',
  'ENFILE',
]);
const texts =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|driver has already been destroyed/i;

/** Whether the database could not be reached, broke off, is starting or stopping, or has no room: not what was asked, but that it was asked now, is the trouble. */
export function isDatabaseAway(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (codes.test(code) || network.has(code))) return true;
  return texts.test(error.message);
}
