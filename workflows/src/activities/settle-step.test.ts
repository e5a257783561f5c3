import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from './index.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test.each([
  ['output', { action: 'skip', output: { a: 'x\u0000' } }],
  ['output', { action: 'skip', output: 'half \ud800' }],
  ['port', { action: 'skip', output: {}, port: 'o\u0000' }],
  ['input', { action: 'retry', input: { title: 'x\u0000' } }],
] as const)('a decision whose %s cannot be stored settles nothing, and the step takes another', async (_, decision) => {
  const title = { kind: 'expression', source: 'trigger.missing', reads: [] } as const;
  const step = { type: 'core.notify', version: 1, name: 'Tell', inputs: { title, body: title } };
  const attempt = (await bench.begin({ tell: step }))('tell');
  await bench.runStep(attempt);
  const { companyId, runId, planHash } = attempt;
  const { settleStep } = createActivities(bench.deps);
  const about = { companyId, planHash, runId, nodeId: 'tell', iteration: '', exclusive: true };
  expect(await settleStep({ ...about, decision })).toBe(false);
  expect(await settleStep({ ...about, decision: { action: 'skip', output: {} } })).toBe(true);
});
