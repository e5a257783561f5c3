/** What `npm run check` holds the code to, one tool each, in the order of their speed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);

export const checks = [
  { name: 'format', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'], fix: 'npm run format' },
  {
    name: 'lint',
    command: [
      bin('oxlint'),
      '--type-aware',
      '--deny-warnings',
      '--quiet',
      'db',
      'nodes',
      'workflows',
      'engine',
      'tests',
      'scripts',
    ],
  },
  // Its types are known to svelte-check alone.
  { name: 'lint studio', command: [bin('oxlint'), '--deny-warnings', '--quiet', 'studio/src'] },
  { name: 'types', command: [bin('tsc'), '-p', 'tsconfig.json', '--noEmit'] },
  {
    name: 'svelte-check',
    // In a fresh checkout nothing has written the types of the routes yet.
    before: { command: [bin('svelte-kit'), 'sync'], cwd: join(root, 'studio') },
    command: [
      bin('svelte-check'),
      '--workspace',
      'studio',
      '--tsconfig',
      './tsconfig.json',
      '--fail-on-warnings',
      '--output',
      'human',
    ],
  },
  {
    name: 'dependency arrows',
    command: [
      bin('depcruise'),
      '--config',
      '.dependency-cruiser.cjs',
      'db',
      'nodes',
      'workflows/src',
      'engine/src',
      'studio/src',
      'tests',
    ],
    // A cruise that saw nothing agrees with everything.
    accept: (said) => Number(/(\d+) modules/.exec(said)?.[1] ?? 0) > 100,
  },
  { name: 'dead code', command: [bin('knip'), '--no-progress'] },
];

/** Runs one check, and what has to be done before it; resolves with whether it passed and what it said. */
export async function runCheck({ before, command, accept }) {
  const prepared = before ? await run(before.command, { cwd: before.cwd }) : undefined;
  return prepared?.passed === false ? prepared : await run(command, { cwd: root, accept });
}

function run([program, ...args], { cwd, accept }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      shell: process.platform === 'win32',
      env: { ...process.env, FORCE_COLOR: '0' },
    });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.on('error', (error) => resolve({ passed: false, said: error.message }));
    child.on('exit', (code) => resolve({ passed: code === 0 && (accept?.(said) ?? true), said }));
  });
}

/** Runs every check and prints a line each, with what the failed ones said. */
export async function runChecks() {
  const tally = { passed: 0, failed: 0 };
  for (const check of checks) {
    const began = performance.now();
    const { passed, said } = await runCheck(check);
    tally[passed ? 'passed' : 'failed'] += 1;
    console.log(
      `  ${passed ? 'ok    ' : 'FAILED'} ${check.name.padEnd(20)} ${((performance.now() - began) / 1_000).toFixed(1)} s`,
    );
    if (!passed)
      console.log(
        `\n${said.trim().split('\n').slice(-80).join('\n')}\n${check.fix ? `\n  To mend it: ${check.fix}\n` : ''}`,
      );
  }
  return tally;
}
