import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const preload = new URL('./no-promise-traces.ts', import.meta.url).href;

test('a thread it is loaded into hooks no promises; any other does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-thread-'));
  const file = join(folder, 'thread.cjs');
  // A file, as the SDK's own thread is; hooked as the SDK does it.
  await writeFile(
    file,
    `const v8 = require('node:v8');
    let told = 0;
    const stop = v8.promiseHooks.createHook({ init: () => told++ });
    void Promise.resolve().then(() => { stop(); require('node:worker_threads').parentPort.postMessage(told); });`,
  );
  const hooked = async (execArgv: readonly string[]): Promise<unknown> => {
    const thread = new Worker(file, { execArgv: [...execArgv] });
    const [told] = (await once(thread, 'message')) as [unknown];
    await thread.terminate();
    return told;
  };
  expect(await hooked(['--import', preload])).toBe(0);
  expect(await hooked([])).toBeGreaterThan(0);
  await rm(folder, { recursive: true });
});
