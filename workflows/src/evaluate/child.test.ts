import { fork } from 'node:child_process';
import { writeFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { childFlags } from './pool.ts';

/** What code in the child's process could do, if an expression ever came to run code there. */
const attempts = `
const results = {};
const attempt = async (name, work) => {
  try { results[name] = 'done: ' + String(await work()).slice(0, 60); }
  catch (error) { results[name] = error.code ?? error.name; }
};
await attempt('environment', () => { if (Object.keys(process.env).length === 0) throw Object.assign(new Error(), { code: 'empty' }); return Object.keys(process.env); });
await attempt('code from text', () => new Function('return 1')());
await attempt('eval', () => (0, eval)('1'));
await attempt('prototype of a record', () => { const before = {}.polluted; ({}).__proto__.polluted = 1; return before; });
await attempt('a file of the system', async () => (await import('node:fs')).readFileSync('/etc/passwd', 'utf8'));
await attempt('writing', async () => (await import('node:fs')).writeFileSync('/tmp/plumbline-child', 'x'));
await attempt('a process', async () => (await import('node:child_process')).execSync('id').toString());
await attempt('a worker', async () => new ((await import('node:worker_threads')).Worker)('1', { eval: true }));
await attempt('the network', async () => await fetch('http://127.0.0.1:9'));
process.send(results);
`;

test('the process of expressions has no environment, no code generation, no files, no processes', async () => {
  const path = fileURLToPath(new URL('./child-attempts.tmp.mjs', import.meta.url));
  await writeFile(path, attempts);
  try {
    const child = fork(path, { env: {}, execArgv: childFlags(), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const results = await new Promise<Record<string, string>>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Record<string, string>));
      child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)));
    });
    child.kill('SIGKILL');
    expect(results).toMatchObject({
      environment: 'empty',
      'code from text': 'EvalError',
      eval: 'EvalError',
      'prototype of a record': 'TypeError',
      'a file of the system': 'ERR_ACCESS_DENIED',
      writing: 'ERR_ACCESS_DENIED',
      'a process': 'ERR_ACCESS_DENIED',
      'a worker': 'ERR_ACCESS_DENIED',
    });
    expect(results['the network']).not.toMatch(/^done/);
  } finally {
    await rm(path, { force: true });
  }
});
