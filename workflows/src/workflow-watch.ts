/**
 * Ends the process when its workflow code does not come back.
 *
 * Temporal's SDK gives each call into workflow code a time limit of node:vm, and that starts a thread of the operating system for every call: up to a third of
 * what a workflow with one run costs its worker. Here a call only says when it begins and ends, in memory that the threads share, and the main thread looks
 * once a second. The code is ours and the same for every flow, nobody's expressions run in it, so this is a guard against a mistake of ours; what the process
 * was carrying goes on in another one, as after any death.
 */
import { writeSync } from 'node:fs';
import vm from 'node:vm';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

const SHARED = 'plumbline.workflow-calls';
const LOOK_MS = 1_000;
/** Looks that may find the same call: as long as Temporal waits for a workflow task. */
const LOOKS = 10;
/** Threads that can be watched; the SDK has one of its own unless told otherwise. Further ones keep the SDK's limit. */
const THREADS = 16;

if (isMainThread) watch();
else register(getEnvironmentData(SHARED));

/** The first word counts threads; each has a word that is odd while a call is under way. */
function watch(): void {
  const calls = new Int32Array(new SharedArrayBuffer((1 + THREADS) * Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(SHARED, calls);
  const seen = Array.from({ length: THREADS }, () => ({ call: 0, looks: 0 }));
  // Looks are counted and not the clock: a machine that was suspended is no reason.
  setInterval(() => {
    for (const [index, last] of seen.entries()) {
      const call = Atomics.load(calls, 1 + index);
      last.looks = call % 2 !== 0 && call === last.call ? last.looks + 1 : 0;
      last.call = call;
      if (last.looks < LOOKS) continue;
      writeSync(
        process.stderr.fd,
        `Workflow code has not come back for ${(LOOKS * LOOK_MS) / 1_000} seconds; the worker ends, and its runs go on in another one.\n`,
      );
      process.kill(process.pid, 'SIGKILL');
    }
  }, LOOK_MS).unref();
}

function register(calls: unknown): void {
  if (!(calls instanceof Int32Array)) return;
  const index = 1 + Atomics.add(calls, 0, 1);
  if (index > THREADS) return;
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const runInContext = vm.Script.prototype.runInContext;
  vm.Script.prototype.runInContext = function (context, options): unknown {
    if (options?.timeout === undefined) return runInContext.call(this, context, options) as unknown;
    const { timeout: _, ...others } = options;
    Atomics.add(calls, index, 1);
    try {
      return runInContext.call(this, context, others) as unknown;
    } finally {
      Atomics.add(calls, index, 1);
    }
  };
}
