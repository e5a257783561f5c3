import { freePort } from '@plumbline/db/embedded';
import { StartError } from '@plumbline/db/start-error';
import { keepUp } from './keep-up.ts';
import type { PlatformOptions } from './platform.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { answers, startTemporal, type TemporalServer } from './temporal-server.ts';

/** The Temporal that runs our workflows. */
export interface Orchestrator {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** How it was found. */
  readonly rung: string;
  /** Of its tether, when it is ours. */
  pid(): number | undefined;
}

/** The Temporal one was told to use, or a development server of our own, started again on the same port whenever it dies. */
export async function orchestrator(options: PlatformOptions, undo: (() => Promise<void>)[]): Promise<Orchestrator> {
  const { environment, onStep, dataDir, temporalAddress } = options;
  if (temporalAddress) {
    if (!(await answers(temporalAddress, environment['TEMPORAL_NAMESPACE'])))
      throw new StartError(
        'temporal_unreachable',
        `No Temporal server answers at ${temporalAddress} (TEMPORAL_ADDRESS).`,
        'Start it, correct the address, or unset TEMPORAL_ADDRESS to use the built-in one.',
      );
    onStep('Temporal', `yours, at ${temporalAddress}`);
    return {
      address: temporalAddress,
      uiUrl: environment['PLUMBLINE_TEMPORAL_UI'],
      rung: 'TEMPORAL_ADDRESS',
      pid: () => undefined,
    };
  }
  onStep('Temporal', 'looking for its CLI');
  const cli = await findTemporalCli(environment, (text) => onStep('Temporal', text));
  onStep('Temporal', `starting (${cli.rung})`);
  let ports = { port: await freePort(), uiPort: await freePort() };
  let first: TemporalServer | undefined;
  for (let tries = 1; !first; tries++)
    try {
      first = await startTemporal({ cli: cli.path, dataDir, ...ports });
    } catch (error) {
      // Somebody took the port between our look and the server's.
      if (tries === 5 || !/address already in use/.test(String(error))) throw error;
      ports = { port: await freePort(), uiPort: await freePort() };
    }
  const kept = keepUp({
    first,
    again: () => startTemporal({ cli: cli.path, dataDir, ...ports }),
    onEnd: (reason) => options.onRestart?.('temporal', reason),
  });
  undo.push(() => kept.stop());
  onStep('Temporal', `development server (${cli.rung}), at ${first.address}`);
  return { address: first.address, uiUrl: first.uiUrl, rung: cli.rung, pid: () => kept.current().child.pid };
}
