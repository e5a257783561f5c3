/** `npm start`: everything on one port, until Ctrl-C. */
import { spawn } from 'node:child_process';
import { StartError } from '@plumbline/db/start-error';
import pc from 'picocolors';
import { DEMO_OWNER } from './auth/demo.ts';
import { HelpWanted, readStartOptions, usage } from './start/options.ts';
import { bringUp, type Platform } from './start/platform.ts';
import { Progress } from './start/progress.ts';
import { findRunning, noteRunning } from './start/running.ts';

let platform: Platform | undefined;
let forget: (() => Promise<void>) | undefined;
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (platform) process.stdout.write(`\n  Stopping: runs that are under way go on at the next start.\n`);
  await platform?.stop();
  await forget?.();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void stop(signal === 'SIGINT' ? 130 : 0));
// The launcher is gone: so are we.
process.on('disconnect', () => void stop(1));

try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  const other = await findRunning(options.dataDir);
  if (other)
    throw new StartError(
      'already_running',
      `Plumbline runs already with this data directory: ${other.origin} (process ${other.pid}).`,
      'Use that one, stop it, or start another with --data-dir and --port.',
    );
  process.stdout.write(`\n${pc.bold('Plumbline')}\n\n`);
  const began = performance.now();
  const progress = new Progress();
  platform = await bringUp({
    ...options,
    environment: process.env,
    onStep: progress.step,
    onRestart: (name, reason) =>
      process.stderr.write(`  ${pc.yellow(`${name} ended (${reason}) and is started again`)}\n`),
  });
  if (stopping) await platform.stop();
  forget = await noteRunning(platform.dataDir, platform.origin);
  process.stdout.write(banner(platform, options.demo, performance.now() - began));
  if (options.open) openInBrowser(platform.origin);
  process.send?.({ ready: true, origin: platform.origin });
} catch (error) {
  if (error instanceof HelpWanted) {
    process.stdout.write(`\n${usage}\n`);
    process.exit(0);
  }
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`\n  ${pc.red('Plumbline did not start.')} ${error.message}\n  ${error.fix}\n\n`);
  process.exit(1);
}

function banner({ origin, temporalUi, temporalRung, dataDir }: Platform, demo: boolean, ms: number): string {
  const rows: [string, string][] = [
    ['Studio', origin],
    ['API', `${origin}/api`],
    ['Webhooks', `${origin}/hooks/…`],
    ['Sandboxes', `${origin}/sandbox/quickbooks/ui  ${origin}/sandbox/slack/ui`],
    ['Temporal UI', temporalUi ?? `at your server (${temporalRung})`],
    ['Data', dataDir],
    ...(demo ? ([['Sign in', `${DEMO_OWNER.email}  password ${DEMO_OWNER.password}`]] as [string, string][]) : []),
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name, value]) => `  ${pc.bold(name.padEnd(12))} ${value}`);
  return `\n${lines.join('\n')}\n\n  Ready in ${(ms / 1_000).toFixed(1)} s.\n\n`;
}

function openInBrowser(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
