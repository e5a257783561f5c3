/** `npm run demo`: the tour without a browser, against a running Plumbline or one that is brought up and down for it. */
import { freePort } from '@plumbline/db/embedded';
import { StartError } from '@plumbline/db/start-error';
import pc from 'picocolors';
import { playDemo } from './demo/scenario.ts';
import { HelpWanted, readStartOptions, usage } from './start/options.ts';
import { bringUp, type Platform } from './start/platform.ts';
import { Progress } from './start/progress.ts';
import { findRunning } from './start/running.ts';

let platform: Platform | undefined;
const stop = async (code: number): Promise<never> => {
  await platform?.stop();
  process.exit(code);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(130));
process.on('disconnect', () => void stop(1));

const say = (subject: string, text: string): void => void process.stdout.write(`  ${subject.padEnd(12)} ${text}\n`);

try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  const running = await findRunning(options.dataDir);
  if (running) say('Plumbline', `runs at ${running.origin}`);
  else {
    say('Plumbline', 'does not run; bringing it up for this demo');
    const progress = new Progress();
    platform = await bringUp({
      ...options,
      demo: true,
      port: await freePort(),
      environment: process.env,
      onStep: progress.step,
    });
  }
  const result = await playDemo((running ?? (platform as Platform)).origin, say);
  if (platform) say('Plumbline', 'stopping again');
  await platform?.stop();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(result.status === 'succeeded' ? 0 : 1);
} catch (error) {
  if (error instanceof HelpWanted) {
    process.stdout.write(`\n${usage}\n`);
    process.exit(0);
  }
  const fix = error instanceof StartError ? `\n  ${error.fix}` : '';
  process.stderr.write(
    `\n  ${pc.red('The demo did not get through.')} ${error instanceof Error ? error.message : String(error)}${fix}\n\n`,
  );
  await stop(1);
}
