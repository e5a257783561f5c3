import { startPostgres } from '@plumbline/db/embedded';
import { keepUp } from './keep-up.ts';
import type { PlatformOptions } from './platform.ts';

/** The database everything is in. */
export interface DatabaseServer {
  readonly ownerUrl: string;
  /** Of the server itself, when it is ours. */
  pid(): number | undefined;
}

/** The PostgreSQL one was told to use, or our own, started again on the same port whenever it dies. */
export async function databaseServer(options: PlatformOptions, undo: (() => Promise<void>)[]): Promise<DatabaseServer> {
  const { databaseUrl, dataDir, onStep } = options;
  if (databaseUrl) {
    onStep('PostgreSQL', 'yours, from DATABASE_URL');
    return { ownerUrl: databaseUrl, pid: () => undefined };
  }
  onStep('PostgreSQL', 'starting');
  const durable = options.fsync === undefined ? {} : { fsync: options.fsync };
  const first = await startPostgres({ dataDir, onStep: (text) => onStep('PostgreSQL', text), ...durable });
  const kept = keepUp({
    first,
    again: () => startPostgres({ dataDir, port: first.port, ...durable }),
    onEnd: (reason) => options.onRestart?.('postgres', reason),
  });
  undo.push(() => kept.stop());
  onStep('PostgreSQL', `embedded, on 127.0.0.1:${first.port}`);
  return { ownerUrl: first.ownerUrl, pid: () => kept.current().pid };
}
