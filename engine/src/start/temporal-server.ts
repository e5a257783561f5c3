import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '@plumbline/db/start-error';
import { tether, untether } from '@plumbline/db/tether';
import { Connection } from '@temporalio/client';

export interface TemporalServer {
  readonly address: string;
  readonly uiUrl: string;
  /** The tether's; it ends with the server. */
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts Temporal's development server with its store in the data directory. `synchronous=OFF` survives a crash of the server, not of the machine;
 * PostgreSQL holds the truth, and open runs are started again from it.
 * @throws StartError `temporal_failed`
 */
export async function startTemporal(options: {
  readonly cli: string;
  readonly dataDir: string;
  readonly port: number;
  readonly uiPort: number;
  /** What else its configuration says, `name=value`. */
  readonly configuration?: readonly string[];
}): Promise<TemporalServer> {
  const folder = join(options.dataDir, 'temporal');
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'server.log');
  const child = tether({
    command: options.cli,
    args: [
      ...[
        'server',
        'start-dev',
        '--ip',
        '127.0.0.1',
        '--port',
        String(options.port),
        '--ui-port',
        String(options.uiPort),
      ],
      ...[
        '--db-filename',
        join(folder, 'temporal.db'),
        '--sqlite-pragma',
        'journal_mode=WAL',
        '--sqlite-pragma',
        'synchronous=OFF',
      ],
      // Off by default: without it the fairness key of a carrier is not looked at.
      ...['matching.enableFairness=true', ...(options.configuration ?? [])].flatMap((value) => [
        '--dynamic-config-value',
        value,
      ]),
      ...['--log-level', 'warn', '--ui-disable-news-fetch'],
    ],
    log,
  });
  const address = `127.0.0.1:${options.port}`;
  const deadline = Date.now() + 60_000;
  while (!(await answers(address))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await untether(child);
      const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-2).join(' | ');
      throw new StartError(
        'temporal_failed',
        `Temporal did not start: ${tail || 'it said nothing'}`,
        `Look into ${log}, or set TEMPORAL_ADDRESS to a server of your own.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { address, uiUrl: `http://127.0.0.1:${options.uiPort}`, child, stop: () => untether(child) };
}

/** Whether a Temporal server with the namespace answers there. */
export async function answers(address: string, namespace = 'default'): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 2_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
