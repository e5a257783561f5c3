/**
 * The door to every command: brings a new enough Node and the dependencies when they are missing, builds what has changed, then hands over.
 * Plain JavaScript without dependencies, so that it runs on Node 20 in a checkout with nothing installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = fileURLToPath(new URL('..', import.meta.url));
const cache =
  process.env.PLUMBLINE_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plumbline');
const windows = process.platform === 'win32';

const commands = {
  start: { entry: 'engine/src/start.ts', build: true },
  demo: { entry: 'engine/src/demo.ts', build: true },
  test: { entry: 'scripts/test.mjs', build: true },
  'test:faults': { entry: 'scripts/faults.mjs', args: ['faults'], build: true },
  'test:soak': { entry: 'scripts/faults.mjs', args: ['soak'], build: true },
  histories: { entry: 'tests/replay/record.ts', build: false },
  check: { entry: 'scripts/check.mjs', build: false },
  flow: { entry: 'engine/src/flow-main.ts', build: false },
  bench: { entry: 'tests/bench/main.ts', build: true },
  screenshots: { entry: 'scripts/screenshots.mjs', build: true },
};

/** Says what is in the way and how out of it, and ends. */
function giveUp(what, fix) {
  console.error(`\n  ${what}\n  ${fix}\n`);
  process.exit(1);
}

/** The sentence in what npm said that tells why. */
function reasonOf(said) {
  const lines = said.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  return (
    lines.find((line) => /request to/.test(line)) ??
    lines.find((line) =>
      /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENOSPC|EACCES|EUSAGE|can only install|not found/.test(line),
    ) ??
    lines.find((line) => line.length > 20) ??
    'npm did not say why'
  );
}

/** Runs a program with our Node first on its PATH; resolves with its exit code. */
function run(command, args, { node, quiet = false, ipc = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      shell: windows && !ipc,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit', ...(ipc ? ['ipc'] : [])],
      env: {
        ...process.env,
        // Paths are meant from where somebody stands.
        INIT_CWD: process.env.INIT_CWD ?? process.cwd(),
        ...(node ? { PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` } : {}),
      },
    });
    let said = '';
    child.stdout?.on('data', (chunk) => (said += chunk));
    child.stderr?.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code: code ?? (signal ? 1 : 0), said }));
    if (ipc)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
        process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  });
}

/** The Node that runs us when it is new enough, else Node 24 from the package registry, kept in the cache for every checkout. */
async function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const home = join(cache, 'node', String(NODE_MAJOR));
  const node = join(home, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(node)) return node;
  console.log(`  Node         bringing Node ${NODE_MAJOR} (this one is ${process.versions.node})`);
  mkdirSync(home, { recursive: true });
  const { code, said } = await run(
    'npm',
    ['install', '--prefix', home, '--no-audit', '--no-fund', '--loglevel=error', `${name}@${NODE_MAJOR}`],
    { quiet: true },
  );
  if (code !== 0 || !existsSync(node))
    giveUp(
      `Node ${NODE_MAJOR} could not be fetched from the package registry: ${reasonOf(said)}`,
      `Check the network, or install Node ${NODE_MAJOR} yourself (https://nodejs.org), then run this again.`,
    );
  return node;
}

/** Installs exactly what the lock file names, when it has changed since the last time. */
async function install(node) {
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.plumbline-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('  Packages     installing (about half a minute)');
  rmSync(stamp, { force: true });
  const { code, said } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { node, quiet: true });
  if (code !== 0) {
    if (/ENOSPC/.test(said))
      giveUp('The disk is full: the packages need 1 GB.', 'Free some space, then run this again.');
    giveUp(
      `The packages could not be installed: ${reasonOf(said)}`,
      'Check the network and the registry npm uses ("npm config get registry"), then run this again.',
    );
  }
  writeFileSync(stamp, wanted);
}

/** Builds the studio and the workflow code; what has not changed comes from turbo's cache. */
async function build(node) {
  const began = Date.now();
  const { code, said } = await run(
    join(root, 'node_modules', '.bin', windows ? 'turbo.cmd' : 'turbo'),
    ['run', 'build', '--output-logs=errors-only', '--no-update-notifier'],
    { node, quiet: true },
  );
  if (code !== 0)
    giveUp(`The build failed:\n${said}`, 'If you changed nothing, remove node_modules and run this again.');
  if (Date.now() - began > 5_000)
    console.log(`  Build        studio and workflow code  ${((Date.now() - began) / 1_000).toFixed(1)} s`);
}

const [name, ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) giveUp(`There is no command "${name ?? ''}".`, `These are there: ${Object.keys(commands).join(', ')}.`);
const node = await findNode();
await install(node);
if (command.build) await build(node);
const { code } = await run(
  node,
  ['--disable-warning=ExperimentalWarning', join(root, command.entry), ...(command.args ?? []), ...args],
  {
    node,
    ipc: true,
  },
);
process.exit(code);
