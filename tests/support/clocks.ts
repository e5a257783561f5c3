import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The clocks of our processes, each of which can be wrong in its own way. */
export interface Clocks extends AsyncDisposable {
  /** What processes need that are to have them. */
  readonly environment: NodeJS.ProcessEnv;
  /** Sets each process's clock, by the process's name, to so many milliseconds off the right time. Running processes see it at once. */
  set(shifts: ReadonlyMap<string, number>): Promise<void>;
}

export async function openClocks(): Promise<Clocks> {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-clocks-'));
  const file = join(folder, 'clocks.json');
  const set: Clocks['set'] = async (shifts) => {
    await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries(shifts)));
    // Never half of it.
    await rename(`${file}.new`, file);
  };
  await set(new Map());
  return {
    environment: {
      PLUMBLINE_TEST_CLOCKS: file,
      NODE_OPTIONS: `--import=${new URL('./shifted-clock.ts', import.meta.url).href}`,
    },
    set,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
