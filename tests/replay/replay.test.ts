import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { report } from '../support/profile.ts';
import { recordedHistories, workflowsPath, type Recorded } from './histories.ts';

let recorded: readonly Recorded[];
beforeAll(async () => {
  recorded = await recordedHistories();
  // What a planted fault makes it say is expected.
  Runtime.install({ telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } } });
});

/** @see `npm run histories` records them anew, after a change that is meant to change what workflows do. */
test('every workflow that was ever begun goes on under this code', async () => {
  const began = performance.now();
  const { replayed, broken } = await replay(await bundle(), recorded);
  const seconds = (performance.now() - began) / 1_000;
  report('R14', { histories: replayed, broken: broken.length, seconds: Number(seconds.toFixed(1)) });
  expect(broken).toEqual([]);
  expect(replayed).toBeGreaterThanOrEqual(60);
  expect(seconds).toBeLessThan(90);
});

test('code that does two things in another order is found out', async () => {
  // Beside the real code, where the same packages are found.
  const build = fileURLToPath(new URL('../../workflows/build/', import.meta.url));
  await mkdir(build, { recursive: true });
  const folder = await mkdtemp(join(build, 'reordered-'));
  try {
    await cp(dirname(workflowsPath), join(folder, 'workflows'), { recursive: true });
    await cp(
      join(dirname(workflowsPath), '..', 'activities', 'contract.ts'),
      join(folder, 'activities', 'contract.ts'),
    );
    const file = join(folder, 'workflows', 'carrier.ts');
    await writeFile(file, waitAfterwards(await readFile(file, 'utf8')));
    const { replayed, broken } = await replay(await bundle(join(folder, 'workflows', 'index.ts')), recorded);
    report('R14 planted', { histories: replayed, broken: broken.length });
    expect(broken.length).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Carries a run on first and waits for its time then. @throws Error when the code is written differently by now, and this has to be too. */
function waitAfterwards(source: string): string {
  const wait = / {4}if \(report\.wakeInMs !== 0 && !lane\.told\) \{\n[\s\S]*?\n {4}\}\n/.exec(source)?.[0];
  const carry = / {4}\(\{ report, call \} = await lane\.hold\.take\(\(\) => \{[\s\S]*?\n {4}\}\)\);\n/.exec(
    source,
  )?.[0];
  if (!wait || !carry) throw new Error('carrier.ts no longer has the two commands that this test exchanges');
  const timer = wait.replace('report.wakeInMs !== 0', 'waitMs !== 0').replace('report.wakeInMs', 'waitMs');
  return source.replace(wait, '').replace(carry, `    const waitMs = report.wakeInMs;\n${carry}${timer}`);
}

async function bundle(path = workflowsPath): Promise<WorkflowBundle> {
  return await bundleWorkflowCode({ workflowsPath: path, logger: new DefaultLogger('ERROR') });
}

async function replay(workflowBundle: WorkflowBundle, histories: readonly Recorded[]) {
  const broken: string[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    replayed += 1;
    if (error) broken.push(`${workflowId}: ${error.message}`);
  }
  return { replayed, broken };
}
