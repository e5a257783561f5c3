/**
 * `npm run test:faults` and `npm run test:soak`: the tests of `tests/faults` in their full form, minutes of faults instead of seconds, and the model with
 * two thousand plans instead of two hundred. Arguments go to
 * vitest; `PLUMBLINE_SEED` repeats what chance did.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [which, ...filters] = process.argv.slice(2);
const chosen =
  which === 'soak'
    ? ['tests/faults/soak']
    : filters.length > 0
      ? filters
      : ['tests/faults', 'tests/replay', 'workflows/src/activities/model'];
const child = spawn(
  process.execPath,
  [
    ...[join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'faults', '--project', 'node'],
    ...(which === 'soak' ? [] : ['--exclude', '**/soak.test.ts']),
    ...chosen,
  ],
  { cwd: root, stdio: 'inherit', env: { PLUMBLINE_MODEL_RUNS: '2000', ...process.env, PLUMBLINE_FAULTS: 'full' } },
);
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
