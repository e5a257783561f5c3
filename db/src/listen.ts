import pg from 'pg';

/**
 * Listens on a channel, on a connection of its own, and comes back after the database has been away. Notices sent meanwhile are lost: whoever depends
 * on them sweeps as well.
 * @returns the function that ends the listening.
 */
export async function listen(
  url: string,
  channel: string,
  onMessage: (payload: string) => void,
): Promise<() => Promise<void>> {
  let closed = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = 250;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('notification', (notice) => onMessage(notice.payload ?? ''));
    next.on('error', () => undefined);
    next.once('end', () => {
      if (next === client) again();
    });
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      client = next;
      waitMs = 250;
    } catch {
      next.end().catch(() => undefined);
      again();
    }
  };

  const again = (): void => {
    client = undefined;
    if (closed) return;
    timer = setTimeout(() => void connect(), waitMs);
    waitMs = Math.min(waitMs * 2, 10_000);
  };

  await connect();
  return async () => {
    closed = true;
    clearTimeout(timer);
    const last = client;
    client = undefined;
    await last?.end().catch(() => undefined);
  };
}
