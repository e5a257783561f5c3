/**
 * Runs a program that must not outlive the one that started it, however that ends: `node tether.mjs --signal SIGINT --log file [--uid n --gid n] -- command args`.
 * The end of our standard input means that the parent is gone; the program then gets the signal, and SIGKILL after ten seconds.
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

const split = process.argv.indexOf('--');
const options = Object.fromEntries(
  process.argv
    .slice(2, split)
    .join('\0')
    .split(/\0?--/)
    .filter(Boolean)
    .map((pair) => pair.split('\0')),
);
const [command, ...args] = process.argv.slice(split + 1);
const log = options.log ? openSync(options.log, 'a') : 'ignore';
const child = spawn(command, args, {
  stdio: ['ignore', log, log],
  detached: process.platform !== 'win32',
  cwd: options.cwd,
  ...(options.uid ? { uid: Number(options.uid), gid: Number(options.gid) } : {}),
});

let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  child.kill(options.signal ?? 'SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
}

child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
process.stdin.on('end', stop).on('error', stop).resume();
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, stop);
// Ctrl-C reaches the whole group; the parent decides what stops when.
process.on('SIGINT', () => undefined);
