import { makeTelemetryFilterString, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { bundle, changedBundle, waitAfterwards } from '../support/builds.ts';
import { report } from '../support/profile.ts';
import { recordedHistories, type Recorded } from './histories.ts';

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
  const { replayed, broken } = await replay(await changedBundle(waitAfterwards), recorded);
  report('R14 planted', { histories: replayed, broken: broken.length });
  expect(broken.length).toBeGreaterThan(0);
});

async function replay(workflowBundle: WorkflowBundleWithSourceMap, histories: readonly Recorded[]) {
  const broken: string[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    replayed += 1;
    if (error) broken.push(`${workflowId}: ${error.message}`);
  }
  return { replayed, broken };
}
