import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, type Bench } from '../activities/testing.ts';
import { delegate } from './delegate.ts';
import { ApprovalRefusal } from './refusal.ts';
import { addressOf, ask, decideAs, hire, standing, type AskedRun } from './testing-approval.ts';

let bench: Bench;
const who = (...names: string[]) => names.map((name) => addressOf(bench, name)).join(', ');
const decided = (task: AskedRun, name: string, outcome = 'approved', more = {}) =>
  decideAs(bench, bench.deps, task, name, outcome, more);

beforeAll(async () => {
  bench = await openBench();
  await hire(bench, { Ana: 'owner', Ben: 'builder', Cal: 'builder', Dee: 'admin', Vic: 'viewer' });
});
afterAll(() => bench.close());

describe('n of m', () => {
  test.each([
    ['any', undefined, ['Ben'], 'approved', 1],
    ['all', undefined, ['Ben', 'Cal'], 'open', 2],
    ['all', undefined, ['Ben', 'Cal', 'Dee'], 'approved', 3],
    ['some', 2, ['Cal'], 'open', 1],
    ['some', 2, ['Cal', 'Ben'], 'approved', 2],
  ] as const)('%s (%s): after %j it is %s', async (need, count, deciders, expected, decisions) => {
    const stages = [{ approvers: who('Ben', 'Cal', 'Dee'), need, ...(count ? { count } : {}) }];
    const task = await ask(bench, bench.deps, { stages });
    for (const name of deciders) expect(await decided(task, name)).toBe('ok');
    const { status, outcome, answer, wakes } = await standing(bench, task);
    expect(outcome ?? status).toBe(expected);
    expect(wakes).toBe(expected === 'approved' ? 1 : 0);
    if (expected === 'approved') expect(answer?.decisions).toHaveLength(decisions);
  });

  test('a role stands for everybody who has it', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: 'builders', need: 'all' }] });
    expect(await decided(task, 'Ben')).toBe('ok');
    expect((await standing(bench, task)).status).toBe('open');
    expect(await decided(task, 'Cal')).toBe('ok');
    expect((await standing(bench, task)).outcome).toBe('approved');
  });

  test('one who is named twice has one voice', async () => {
    const approvers = `builders, ${who('Ben')}`;
    await expect(ask(bench, bench.deps, { stages: [{ approvers, need: 'some', count: 3 }] })).rejects.toMatchObject({
      code: 'too_few_approvers',
    });
  });
});

describe('a chain', () => {
  const stages = () => [
    { approvers: who('Ben') },
    { from: '5000', approvers: who('Dee') },
    { from: '25000', approvers: who('Ana') },
  ];

  test.each([
    ['4999.99', ['Ben']],
    ['5000', ['Ben', 'Dee']],
    ['24999.99', ['Ben', 'Dee']],
    ['25000.00', ['Ben', 'Dee', 'Ana']],
  ])('of %s is asked stage by stage: %j', async (amount, order) => {
    const task = await ask(bench, bench.deps, { stages: stages(), amount });
    for (const [index, name] of order.entries()) {
      expect(await standing(bench, task)).toMatchObject({ status: 'open', stage: index + 1 });
      const next = order[index + 1];
      if (next) expect(await decided(task, next)).toBe('not_asked');
      expect(await decided(task, name)).toBe('ok');
    }
    const { outcome, answer, wakes } = await standing(bench, task);
    expect([outcome, answer?.decisions.map(({ by }) => by), wakes]).toEqual(['approved', order, 1]);
  });

  test('ends with the first rejection, and later stages are never asked', async () => {
    const task = await ask(bench, bench.deps, { stages: stages(), amount: '30000' });
    expect(await decided(task, 'Ben', 'rejected', { comment: 'too dear' })).toBe('ok');
    expect(await standing(bench, task)).toMatchObject({ status: 'decided', outcome: 'rejected', wakes: 1 });
    expect(await decided(task, 'Dee')).toBe('already_decided');
    const told = await bench.database.asOwner('select 1 from mail_outbox where approval_id = $1 and to_email = $2', [
      task.approvalId,
      addressOf(bench, 'Dee'),
    ]);
    expect(told).toEqual([]);
  });

  test('that asks nobody for so little is approved at once, and says so', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ from: '100', approvers: who('Ana') }], amount: '99.99' });
    expect(await standing(bench, task)).toMatchObject({ outcome: 'approved', answer: { decisions: [] } });
  });
});

describe('a decision', () => {
  test('of two at the same moment, one stands and the other is told so, every time', async () => {
    for (let round = 0; round < 20; round++) {
      const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben', 'Cal') }] });
      const codes = await Promise.all([decided(task, 'Ben'), decided(task, 'Cal', 'rejected')]);
      expect(codes.toSorted()).toEqual(['already_decided', 'ok']);
      const { outcome, answer, wakes } = await standing(bench, task);
      expect(outcome).toBe(codes[0] === 'ok' ? 'approved' : 'rejected');
      expect([answer?.decisions.length, wakes]).toEqual([1, 1]);
    }
  });

  test('is made once by each, however often they press', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben', 'Cal'), need: 'all' }] });
    const codes = await Promise.all([decided(task, 'Ben'), decided(task, 'Ben'), decided(task, 'Ben')]);
    expect(codes.toSorted()).toEqual(['already_decided', 'already_decided', 'ok']);
    expect((await standing(bench, task)).status).toBe('open');
  });

  test.each([
    ['an answer that there is not', {}, 'maybe', {}, 'invalid_input'],
    ['no comment where one is needed', { comment: 'rejection' }, 'rejected', {}, 'invalid_input'],
    [
      'a comment of spaces where one is always needed',
      { comment: 'always' },
      'approved',
      { comment: '  ' },
      'invalid_input',
    ],
    ['a form left empty', { form: [{ id: 'code', title: 'Code', required: true }] }, 'approved', {}, 'invalid_input'],
    ['a field there is not', {}, 'approved', { values: { code: '1' } }, 'unknown_field'],
  ])('with %s is refused and changes nothing', async (_, input, outcome, more, code) => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben') }], ...input });
    expect(await decided(task, 'Ben', outcome, more)).toBe(code);
    expect(await standing(bench, task)).toMatchObject({ status: 'open', wakes: 0 });
  });

  test('to reject needs no form filled in; another answer of its own ends it', async () => {
    const input = {
      stages: [{ approvers: who('Ben', 'Cal'), need: 'all' }],
      form: [{ id: 'code', title: 'Code', required: true }],
      outcomes: [{ id: 'changes', title: 'Ask for changes' }],
    };
    expect(await decided(await ask(bench, bench.deps, input), 'Ben', 'rejected')).toBe('ok');
    const task = await ask(bench, bench.deps, input);
    expect(await decided(task, 'Ben', 'changes', { values: { code: '03' } })).toBe('ok');
    expect(await standing(bench, task)).toMatchObject({ outcome: 'changes', answer: { outcome: 'changes' } });
  });

  test('is in the audit log, and so is who was told', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben') }], amount: '12.00' });
    await decided(task, 'Ben', 'approved', { comment: 'fine' });
    const [entry] = await bench.database.asOwner('select actor, action, details from audit_log where target_id = $1', [
      task.approvalId,
    ]);
    expect(entry).toMatchObject({
      ...{ actor: 'Ben', action: 'approval.decided' },
      details: { outcome: 'approved', amount: '12.00', comment: 'fine', runId: task.runId },
    });
  });
});

describe('who may be asked', () => {
  test.each([
    ['a role nobody has', 'admins, owner', undefined],
    ['one who only looks on', 'Vic', 'approver_may_not_decide'],
    ['a word that is nobody', 'the boss', 'approver_unknown'],
    ['nobody', ' ', 'approvers_missing'],
  ])('%s', async (_, approvers, code) => {
    const text = approvers === 'Vic' ? who('Vic') : approvers;
    const asked = ask(bench, bench.deps, { stages: [{ approvers: text }] });
    if (code) await expect(asked).rejects.toMatchObject({ code });
    else expect((await asked).approvalId).not.toBe('');
  });
});

describe('handing on', () => {
  const handOn = async (task: AskedRun, from: string, to: string): Promise<string> => {
    const chooseSeat: Parameters<typeof delegate>[2]['chooseSeat'] = (seats) => {
      const seat = seats.find(({ name }) => name === from);
      if (!seat) throw new ApprovalRefusal('not_asked', 'Not asked.', 'Ask another.');
      return { seat, instead: false };
    };
    return await bench.database.store
      .tenant(bench.companyId, (tx) =>
        delegate(tx, { companyId: bench.companyId, ...task }, { name: from, chooseSeat }, to, bench.deps.now()),
      )
      .then(
        () => 'ok',
        (error: unknown) => (error as ApprovalRefusal).code,
      );
  };

  test('gives a seat away, and no second voice', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben', 'Cal'), need: 'all' }] });
    expect(await handOn(task, 'Ben', who('Cal'))).toBe('invalid_input');
    expect(await handOn(task, 'Ben', who('Vic'))).toBe('invalid_input');
    expect(await handOn(task, 'Ben', 'x@elsewhere.example')).toBe('invalid_input');
    expect(await handOn(task, 'Ben', who('Dee'))).toBe('ok');
    expect(await handOn(task, 'Ben', who('Ana'))).toBe('not_asked');
    expect(await decided(task, 'Ben')).toBe('not_asked');
    expect(await decided(task, 'Dee')).toBe('ok');
    expect((await standing(bench, task)).status).toBe('open');
    expect(await decided(task, 'Cal')).toBe('ok');
    expect((await standing(bench, task)).answer?.decisions.map(({ by }) => by)).toEqual(['Dee', 'Cal']);
  });
});

describe('a run that ends', () => {
  test('takes its question back, and a late decision is told so', async () => {
    const task = await ask(bench, bench.deps, { stages: [{ approvers: who('Ben') }] });
    await bench.database.store.tenant(bench.companyId, (tx) =>
      tx
        .updateTable('runs')
        .set({ status: 'cancelled', finished_at: bench.deps.now() })
        .where('company_id', '=', bench.companyId)
        .where('id', '=', task.runId)
        .execute(),
    );
    expect((await standing(bench, task)).status).toBe('withdrawn');
    expect(await decided(task, 'Ben')).toBe('approval_over');
  });
});
