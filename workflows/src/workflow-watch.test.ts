import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const preload = new URL('./workflow-watch.ts', import.meta.url).href;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-watch-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A process whose thread calls into a context as Temporal's SDK does; the code, and how its process ended. */
async function calls(code: string, more = '') {
  const thread = join(folder, 'thread.cjs');
  const main = join(folder, 'main.cjs');
  await writeFile(
    thread,
    `const vm = require('node:vm');
    const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
    const call = (code) => new vm.Script(code).runInContext(context, { timeout: 200, displayErrors: true });
    const tell = (value) => require('node:worker_threads').parentPort.postMessage(value);
    try { tell(call(${JSON.stringify(code)})); } catch (error) { tell(error.code ?? String(error.message)); }
    ${more}`,
  );
  await writeFile(
    main,
    `const thread = new (require('node:worker_threads').Worker)(${JSON.stringify(thread)});
    thread.on('message', (value) => console.log(value));`,
  );
  return async (watched: boolean) => {
    const child = spawn(process.execPath, [...(watched ? ['--import', preload] : []), main], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, complaint, [, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    return { said: said.trim().split('\n'), complaint, signal };
  };
}

test('code that comes back does so without a limit of its own, and its errors are its own', async () => {
  const counts = await calls(`let n = 0; for (const end = Date.now() + 600; Date.now() < end; ) n++; 'counted'`);
  expect(await counts(true)).toMatchObject({ said: ['counted'], signal: null });
  expect(await counts(false)).toMatchObject({ said: ['ERR_SCRIPT_EXECUTION_TIMEOUT'], signal: null });
  const throws = await calls(`throw new Error('mine')`, `tell(call('1 + 1'));`);
  expect(await throws(true)).toMatchObject({ said: ['mine', '2'], complaint: '', signal: null });
});

test('code that does not come back ends its process, and that is said', async () => {
  const { complaint, signal } = await (await calls('for (;;);'))(true);
  expect(complaint).toContain('has not come back for 10 seconds');
  expect(signal).toBe('SIGKILL');
});
