import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLedgerWriter } from './ledger-writer.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function someRun() {
  const { runId, nodeId, iteration } = (await bench.begin({}))('step');
  return { runId, nodeId, iteration };
}

describe('writes in one batch', () => {
  test('that ask for the same effect get it once', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const claim = { ...ref, key: randomUUID() };
    const begin = { ...ref, attempt: 1, at: new Date() };
    const receipts = await Promise.all(
      Array.from({ length: 5 }, () => ledger.submit(bench.companyId, { begin, claim })),
    );
    expect(receipts.map(({ claimed }) => claimed)).toEqual([true, false, false, false, false]);
    expect(await ledger.submit(bench.companyId, { begin, claim })).toMatchObject({ begun: true, claimed: false });
  });

  test('leave a step ended that somebody else begins once more', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const at = new Date();
    const end = { ...ref, attempt: 2, startedAt: at, at, status: 'succeeded', port: 'out' } as const;
    await ledger.submit(bench.companyId, { end });
    expect(await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 1, at } })).toMatchObject({ begun: true });
    expect(
      await bench.database.asOwner(
        'select status, attempt, finished_at from steps where run_id = $1 and node_id = $2',
        [ref.runId, ref.nodeId],
      ),
    ).toEqual([{ status: 'succeeded', attempt: 2, finished_at: at }]);
  });

  test('about one step leave what was said last', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const at = new Date();
    const end = { ...ref, attempt: 1, startedAt: at, at };
    await Promise.all([
      ledger.submit(bench.companyId, { end: { ...end, status: 'waiting', nextAttemptAt: at } }),
      ledger.submit(bench.companyId, { end: { ...end, status: 'succeeded', port: 'out', output: { n: 1 } } }),
    ]);
    const rows = await bench.database.asOwner(
      'select status, output, next_attempt_at from steps where run_id = $1 and node_id = $2',
      [ref.runId, ref.nodeId],
    );
    expect(rows).toEqual([{ status: 'succeeded', output: { n: 1 }, next_attempt_at: null }]);
  });

  test('that begin and end one attempt leave it ended, and a new attempt after an old one begun', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const [quick, again] = [await someRun(), await someRun()];
    const at = new Date();
    await Promise.all([
      ledger.submit(bench.companyId, { begin: { ...quick, attempt: 1, at } }),
      ledger.submit(bench.companyId, { end: { ...again, attempt: 1, startedAt: at, at, status: 'waiting' } }),
      ledger.submit(bench.companyId, {
        end: { ...quick, attempt: 1, startedAt: at, at, status: 'succeeded', port: 'out' },
      }),
      ledger.submit(bench.companyId, { begin: { ...again, attempt: 2, at } }),
    ]);
    const rows = await bench.database.asOwner(
      `select run_id, status, attempt from steps where run_id in ($1, $2) and node_id = 'step'`,
      [quick.runId, again.runId],
    );
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ run_id: quick.runId, status: 'succeeded', attempt: 1 });
    expect(rows).toContainEqual({ run_id: again.runId, status: 'running', attempt: 2 });
  });

  test('of which one cannot be stored: that one fails, the others are written', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const [good, bad] = [await someRun(), await someRun()];
    const at = new Date();
    const end = { attempt: 1, startedAt: at, at, status: 'succeeded' as const, port: 'out' };
    const outcomes = await Promise.allSettled([
      ledger.submit(bench.companyId, { end: { ...good, ...end, output: { text: 'fine' } } }),
      ledger.submit(bench.companyId, { end: { ...bad, ...end, output: { text: 'NUL \u0000' } } }),
      ledger.submit(bench.companyId, { end: { ...bad, ...end, runId: 'no run at all', output: {} } }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    const rows = await bench.database.asOwner(`select 1 from steps where run_id = $1 and node_id = 'step'`, [
      good.runId,
    ]);
    expect(rows).toHaveLength(1);
  });

  test('hold texts that look like SQL as texts', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const at = new Date();
    const output = { text: `'); drop table steps; -- \\' " $1 %s`, dollar: '$$ $tag$' };
    await ledger.submit(bench.companyId, {
      end: { ...ref, attempt: 1, startedAt: at, at, status: 'succeeded', port: `o'ut`, output },
    });
    const [row] = await bench.database.asOwner('select output, port from steps where run_id = $1 and node_id = $2', [
      ref.runId,
      ref.nodeId,
    ]);
    expect(row).toEqual({ output, port: `o'ut` });
  });

  test('of a run that has ended begin nothing and claim nothing', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    await ledger.submit(bench.companyId, { run: { runId: ref.runId, status: 'cancelled', at: new Date() } });
    const receipt = await ledger.submit(bench.companyId, {
      begin: { ...ref, attempt: 1, at: new Date() },
      claim: { ...ref, key: randomUUID() },
    });
    expect(receipt).toMatchObject({ begun: false, claimed: false });
  });
});

test('a step that has succeeded stays so, whatever a second worker that was slow to notice writes about it', async () => {
  const ledger = createLedgerWriter(bench.database.store);
  const ref = await someRun();
  const at = new Date();
  const end = { ...ref, attempt: 1, startedAt: at, at };
  await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 1, at } });
  await ledger.submit(bench.companyId, { end: { ...end, status: 'succeeded', port: 'out', output: { by: 'first' } } });
  const late = await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 2, at: new Date(at.getTime() + 1) } });
  expect(late.begun).toBe(true);
  await ledger.submit(bench.companyId, {
    end: { ...end, attempt: 2, status: 'failed', error: { kind: 'bug', code: 'late', message: 'Late.', fix: 'Look.' } },
  });
  await ledger.submit(bench.companyId, { end: { ...end, status: 'succeeded', port: 'out', output: { by: 'second' } } });
  const rows = await bench.database.asOwner(
    'select status, attempt, output, error, finished_at from steps where run_id = $1 and node_id = $2',
    [ref.runId, ref.nodeId],
  );
  expect(rows).toEqual([{ status: 'succeeded', attempt: 1, output: { by: 'first' }, error: null, finished_at: at }]);
});

test('an attempt that a second worker ends in the same batch has begun for both, unless the run has ended', async () => {
  const ledger = createLedgerWriter(bench.database.store);
  const [open, over] = [await someRun(), await someRun()];
  const at = new Date();
  await ledger.submit(bench.companyId, { run: { runId: over.runId, status: 'cancelled', at } });
  const receipts = [open, over].map((ref) => {
    const begun = ledger.submit(bench.companyId, {
      begin: { ...ref, attempt: 1, at },
      claim: { ...ref, key: randomUUID() },
    });
    void ledger.submit(bench.companyId, {
      end: { ...ref, attempt: 1, startedAt: at, at, status: 'succeeded', port: 'out' },
    });
    return begun;
  });
  expect(await Promise.all(receipts)).toMatchObject([
    { begun: true, claimed: true },
    { begun: false, claimed: false },
  ]);
});

describe('the history of a step', () => {
  const attemptsOf = async ({ runId, nodeId }: { readonly runId: string; readonly nodeId: string }) =>
    (
      await bench.database.asOwner('select attempts from steps where run_id = $1 and node_id = $2', [runId, nodeId])
    )[0]?.['attempts'];
  const failure = { kind: 'unavailable', code: 'http_503', message: 'The vendor is away.', fix: 'Wait.' };
  const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 0, 0, second));

  test('keeps nothing of a step that succeeds at once', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 1, at: at(0) } });
    await ledger.submit(bench.companyId, {
      end: { ...ref, attempt: 1, startedAt: at(0), at: at(1), status: 'succeeded', port: 'out', output: {} },
    });
    expect(await attemptsOf(ref)).toBeNull();
  });

  test('keeps each attempt that did not succeed, and the one that did after them', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const failed = { ...ref, status: 'waiting' as const, error: failure };
    await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 1, at: at(0) } });
    await ledger.submit(bench.companyId, {
      end: { ...failed, attempt: 1, startedAt: at(0), at: at(1), nextAttemptAt: at(3) },
    });
    await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 2, at: at(3) } });
    await ledger.submit(bench.companyId, {
      end: { ...failed, status: 'parked', attempt: 2, startedAt: at(3), at: at(4) },
    });
    await ledger.submit(bench.companyId, {
      end: { ...ref, attempt: 1, startedAt: at(9), at: at(10), status: 'succeeded', port: 'out', output: {} },
    });
    const { kind, code, message } = failure;
    const iso = (second: number) => at(second).toISOString();
    expect(await attemptsOf(ref)).toEqual([
      { attempt: 1, startedAt: iso(0), endedAt: iso(1), kind, code, message, nextAt: iso(3) },
      { attempt: 2, startedAt: iso(3), endedAt: iso(4), kind, code, message },
      { attempt: 1, startedAt: '2026-03-01T00:00:09+00:00', endedAt: '2026-03-01T00:00:10+00:00' },
    ]);
  });

  test('keeps all attempts of one batch, and none that only waited for its turn', async () => {
    const ledger = createLedgerWriter(bench.database.store);
    const ref = await someRun();
    const end = { ...ref, status: 'waiting' as const, startedAt: at(0), at: at(1), nextAttemptAt: at(2) };
    await Promise.all([
      ledger.submit(bench.companyId, { end: { ...end, attempt: 1, error: failure } }),
      ledger.submit(bench.companyId, { end: { ...end, attempt: 1, error: { ...failure, code: 'rate_budget' } } }),
      ledger.submit(bench.companyId, { end: { ...end, attempt: 2, error: failure } }),
    ]);
    expect(((await attemptsOf(ref)) as { attempt: number }[]).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

test('a step that was given up waits for nothing, whatever a second worker that was slow to notice writes; but that it went through is kept', async () => {
  const ledger = createLedgerWriter(bench.database.store);
  const ref = await someRun();
  const at = new Date();
  const end = { ...ref, attempt: 1, startedAt: at, at };
  const standing = async () =>
    (
      await bench.database.asOwner('select status from steps where run_id = $1 and node_id = $2', [
        ref.runId,
        ref.nodeId,
      ])
    )[0];
  await ledger.submit(bench.companyId, { begin: { ...ref, attempt: 1, at } });
  await bench.database.asOwner(
    `update steps set status = 'failed', finished_at = now(), closed = true where run_id = $1 and node_id = $2`,
    [ref.runId, ref.nodeId],
  );
  await ledger.submit(bench.companyId, { end: { ...end, status: 'waiting', nextAttemptAt: at } });
  expect(await standing()).toEqual({ status: 'failed' });
  await ledger.submit(bench.companyId, { end: { ...end, status: 'succeeded', port: 'out', output: {} } });
  expect(await standing()).toEqual({ status: 'succeeded' });
});
