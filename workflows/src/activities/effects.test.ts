import { ConnectorFailure, type NodeType, type RunContext } from '@plumbline/nodes';
import { defineAction } from '@plumbline/nodes/sdk';
import { openStore } from '@plumbline/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { stepKey } from '../step-key.ts';
import { createActivities } from './index.ts';
import type { BenchAttempt } from './testing.ts';
import { performOnce } from './effects.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

type Outcome = 'ok' | ConnectorFailure['kind'] | 'bug';

/** An action whose vendor does what the script says, call by call, and then says yes; it can be looked whether something arrived. */
function vendor(
  script: readonly Outcome[],
  traits: Partial<Pick<NodeType, 'effect' | 'idempotency'>> & {
    readonly finds?: boolean;
    readonly delayMs?: number;
  } = {},
) {
  const calls: string[] = [];
  let looks = 0;
  const action = defineAction({
    id: 'test.action',
    title: 'Do it',
    description: '',
    category: 'Data',
    icon: '',
    effect: traits.effect ?? 'create',
    ...(traits.idempotency ? { idempotency: traits.idempotency } : {}),
    input: z.object({}),
    output: z.object({ id: z.string() }),
    async run({ idempotencyKey }) {
      calls.push(idempotencyKey);
      const outcome = script[calls.length - 1] ?? 'ok';
      await new Promise((resolve) => setTimeout(resolve, traits.delayMs ?? 0));
      if (outcome === 'bug') throw new TypeError('a fault of ours');
      if (outcome !== 'ok')
        throw new ConnectorFailure({ kind: outcome, code: `test_${outcome}`, message: `It was ${outcome}.` });
      return { output: { id: `made-${calls.length}` } };
    },
    ...(traits.finds === undefined
      ? {}
      : {
          findExisting: () => {
            looks++;
            return Promise.resolve(traits.finds ? { output: { id: 'found' } } : undefined);
          },
        }),
  });
  return { action, calls, looks: () => looks };
}

async function effect() {
  const input = (await bench.begin({}))('action');
  const key = stepKey(input);
  const context = {
    input: {},
    idempotencyKey: key,
    now: bench.deps.now,
    signal: AbortSignal.timeout(20_000),
  } as unknown as RunContext<never>;
  return {
    input,
    key,
    perform: (action: NodeType, deps = bench.deps) => performOnce(deps, { ...input, key }, action, context),
    row: async () =>
      (
        await bench.database.asOwner<{ state: string; result: unknown }>(
          'select state, result from effects where key = $1',
          [key],
        )
      )[0],
    age: (seconds: number) =>
      bench.database.asOwner(`update effects set updated_at = now() - make_interval(secs => $2) where key = $1`, [
        key,
        seconds,
      ]),
  };
}

const leaveIntent = (input: BenchAttempt, key: string) =>
  bench.database.asOwner(
    `insert into effects (company_id, key, run_id, node_id, iteration, state) values ($1, $2, $3, $4, '', 'intent')`,
    [input.companyId, key, input.runId, input.nodeId],
  );

describe('an effect', () => {
  test('that is done answers again with what was stored, without a call', async () => {
    const { perform, row, key } = await effect();
    const { action, calls } = vendor(['ok']);
    expect(await perform(action)).toEqual({ output: { id: 'made-1' } });
    expect(await perform(action)).toEqual({ output: { id: 'made-1' } });
    expect(calls).toEqual([key]);
    expect(await row()).toEqual({ state: 'confirmed', result: { output: { id: 'made-1' } } });
  });

  test('whose answer was lost is looked for, and taken when it is there', async () => {
    const { perform, row } = await effect();
    const { action, calls } = vendor(['ambiguous'], { finds: true });
    expect(await perform(action)).toEqual({ output: { id: 'found' } });
    expect(calls).toHaveLength(1);
    expect((await row())?.state).toBe('confirmed');
  });

  test('whose answer was lost and that is not there is tried again, after one more look', async () => {
    const { perform } = await effect();
    const { action, calls, looks } = vendor(['ambiguous'], { finds: false });
    await expect(perform(action)).rejects.toMatchObject({ kind: 'unavailable', code: 'test_ambiguous' });
    expect(looks()).toBe(1);
    expect(await perform(action)).toEqual({ output: { id: 'made-2' } });
    expect({ calls: calls.length, looks: looks() }).toEqual({ calls: 2, looks: 2 });
  });

  test.each([
    ['its vendor repeats its first answer for a key', { idempotency: 'key' }],
    ['it may run twice', { effect: 'upsert' }],
  ] as const)('whose answer was lost is sent again under the same key when %s', async (_name, traits) => {
    const { perform, key } = await effect();
    const { action, calls } = vendor(['ambiguous'], traits);
    await expect(perform(action)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await perform(action)).toEqual({ output: { id: 'made-2' } });
    expect(calls).toEqual([key, key]);
  });

  test('whose answer was lost and that nothing can look for is never sent again by itself', async () => {
    const { perform, row } = await effect();
    const { action, calls } = vendor(['ambiguous']);
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(perform(action)).rejects.toMatchObject({ kind: 'ambiguous', code: 'sent_without_answer' });
    expect(calls).toHaveLength(1);
    expect((await row())?.state).toBe('uncertain');
  });

  test('that a person found missing at the vendor is sent again when they say retry', async () => {
    const { perform, input } = await effect();
    const { action, calls } = vendor(['ambiguous']);
    await expect(perform(action)).rejects.toMatchObject({ kind: 'ambiguous' });
    await bench.database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, error, started_at) values ($1, $2, $3, '', 'parked', 1, '{"kind":"ambiguous"}', now())`,
      [input.companyId, input.runId, input.nodeId],
    );
    await createActivities(bench.deps).settleStep({
      companyId: input.companyId,
      planHash: input.planHash,
      runId: input.runId,
      nodeId: input.nodeId,
      iteration: '',
      decision: { action: 'retry' },
      exclusive: true,
    });
    expect(await perform(action)).toEqual({ output: { id: 'made-2' } });
    expect(calls).toHaveLength(2);
  });

  test.each([
    'invalid',
    'throttled',
    'unavailable',
    'reauthorize',
    'forbidden',
    'not_found',
    'conflict',
    'closed_period',
  ] as const)('that was refused as %s may be sent again without a look', async (kind) => {
    const { perform, row } = await effect();
    const { action, calls, looks } = vendor([kind], { finds: true });
    await expect(perform(action)).rejects.toMatchObject({ kind });
    expect((await row())?.state).toBe('refused');
    expect(await perform(action)).toEqual({ output: { id: 'made-2' } });
    expect({ calls: calls.length, looks: looks() }).toEqual({ calls: 2, looks: 0 });
  });

  test.each(['contract', 'bug'] as const)(
    'that ended in a %s may have happened, so it is looked for before it is sent again',
    async (kind) => {
      const { perform, row } = await effect();
      const { action, calls } = vendor([kind], { finds: true });
      await expect(perform(action)).rejects.toThrow(/a fault of ours|It was contract/);
      expect((await row())?.state).toBe('uncertain');
      expect(await perform(action)).toEqual({ output: { id: 'found' } });
      expect(calls).toHaveLength(1);
    },
  );

  test('that a dead worker left half-way is looked for before it is sent', async () => {
    const { perform, input, key, age } = await effect();
    await leaveIntent(input, key);
    await age(6);
    const { action, calls } = vendor([], { finds: true });
    expect(await perform(action)).toEqual({ output: { id: 'found' } });
    expect(calls).toHaveLength(0);
  });

  test('that a worker holds is waited for, until the worker has been silent for five seconds', async () => {
    const { perform, input, key, age } = await effect();
    await leaveIntent(input, key);
    await age(4);
    const { action, calls } = vendor([], { finds: false });
    const began = performance.now();
    expect(await perform(action)).toEqual({ output: { id: 'made-1' } });
    expect(performance.now() - began).toBeGreaterThan(700);
    expect(calls).toHaveLength(1);
  });

  test('is kept alive while its call takes long', async () => {
    const { perform, age, key } = await effect();
    const { action, calls } = vendor([], { delayMs: 1_800 });
    const first = perform(action);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await age(4.5);
    await new Promise((resolve) => setTimeout(resolve, 900));
    const [row] = await bench.database.asOwner<{ alive: boolean }>(
      `select updated_at > now() - interval '2 seconds' as alive from effects where key = $1`,
      [key],
    );
    expect(row?.alive).toBe(true);
    expect(await Promise.all([first, perform(action)])).toEqual([
      { output: { id: 'made-1' } },
      { output: { id: 'made-1' } },
    ]);
    expect(calls).toHaveLength(1);
  });

  test('begun by ten attempts at once on two workers is one call, and all get its answer', async () => {
    const other = openStore(bench.database.urls.app);
    try {
      const { perform } = await effect();
      const { action, calls } = vendor([], { delayMs: 200, finds: false });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          perform(action, index % 2 ? bench.deps : { ...bench.deps, store: other }),
        ),
      );
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"output":{"id":"made-1"}}']));
      expect(calls).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('begun twice at once, the first of which is refused, is two calls one after the other', async () => {
    const { perform } = await effect();
    const { action, calls } = vendor(['throttled'], { delayMs: 100 });
    const ends = await Promise.allSettled([perform(action), perform(action)]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(calls).toHaveLength(2);
  });

  test('of reading leaves no trace in the ledger', async () => {
    const { perform, row } = await effect();
    const { action, calls } = vendor([], { effect: 'read' });
    await perform(action);
    await perform(action);
    expect(calls).toHaveLength(2);
    expect(await row()).toBeUndefined();
  });
});
