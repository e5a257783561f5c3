import { describe, expect, test } from 'vitest';
import type { ApprovalQuestion } from '../sdk/platform.ts';
import { node } from './approval.ts';
import { stagesFor } from './approval-stages.ts';

const chain = [{ from: '0' }, { from: '5000' }, { from: '25000.01' }];

describe('a chain by amount', () => {
  test.each([
    ['0', ['0']],
    ['4999.99', ['0']],
    ['4999.999999', ['0']],
    ['5000', ['0', '5000']],
    ['5000.00', ['0', '5000']],
    ['25000', ['0', '5000']],
    ['25000.01', ['0', '5000', '25000.01']],
    ['900719925474099.93', ['0', '5000', '25000.01']],
    ['-30000', ['0', '5000', '25000.01']],
  ])('of %s asks %j', (amount, expected) => {
    expect(stagesFor(chain, amount).map(({ from }) => from)).toEqual(expected);
  });

  test('without an amount asks every stage', () => expect(stagesFor(chain, undefined)).toHaveLength(3));
  test('asks nobody under its first stage', () => expect(stagesFor([{ from: '100' }], '99.99')).toEqual([]));
  test('does not guess what is no amount', () => expect(() => stagesFor(chain, '1,000')).toThrow('is not an amount'));
});

describe('asking for approval', () => {
  const open = async (input: object): Promise<ApprovalQuestion | undefined> => {
    let asked: ApprovalQuestion | undefined;
    const parsed = node.input.parse({ title: 'Pay?', ...input });
    const platform = { ask: (question: ApprovalQuestion) => Promise.resolve(void (asked = question)) };
    await node.hold?.open({ input: parsed, platform } as never);
    return asked;
  };
  const close = (answer: unknown) => node.hold?.close({} as never, { kind: 'answered', answer, at: new Date() });
  const said = {
    ...{ stage: 1, outcome: 'approved', by: 'Ana', email: 'ana@x.example', at: '2026-03-02T12:00:00.000Z' },
    ...{ comment: 'fine', values: { code: '01', note: 'a' }, insteadOf: null, way: 'studio' },
  } as const;

  test('puts only the stages to people that its amount calls for', async () => {
    const stages = [{ approvers: 'a@x.example' }, { from: '5000', approvers: 'owner', need: 'all' }];
    expect((await open({ stages, amount: '4999.99' }))?.stages).toHaveLength(1);
    expect((await open({ stages, amount: '5000' }))?.stages).toMatchObject([{ need: 'any' }, { need: 'all' }]);
  });

  test.each([
    [5000, '5000', 2],
    [4999.99, '4999.99', 1],
    [0.1 + 0.2, '0.3', 1],
    [-30_000.5, '-30000.5', 2],
    ['5000.00', '5000.00', 2],
  ])('takes the amount %s for %s', async (amount, text, count) => {
    const stages = [{ approvers: 'owner' }, { from: '5000', approvers: 'owner' }];
    expect(await open({ stages, amount })).toMatchObject({ amount: text, stages: { length: count } });
  });

  test('shows numbers among the facts as they are', async () => {
    const facts = [{ label: 'Lines', value: 3 }];
    expect((await open({ stages: [{ approvers: 'owner' }], facts }))?.facts).toEqual([{ label: 'Lines', value: '3' }]);
  });

  test('leaves by the way that was decided, with who, their words, and what was last filled in', () => {
    const second = { ...said, stage: 2, by: 'Ben', comment: '', values: { code: '02' } };
    expect(close({ outcome: 'approved', decisions: [said, second] })).toMatchObject({
      port: 'approved',
      output: { approved: true, decidedBy: 'Ben', comment: '', values: { code: '02', note: 'a' }, automatic: false },
    });
    expect(close({ outcome: 'changes', decisions: [{ ...said, outcome: 'changes' }] })).toMatchObject({
      port: 'changes',
      output: { approved: false, outcome: 'changes' },
    });
    expect(close({ outcome: 'expired', decisions: [] })).toMatchObject({ port: 'expired', output: { decidedBy: '' } });
    expect(close({ outcome: 'approved', decisions: [] })).toMatchObject({ output: { automatic: true } });
  });

  test('has a way for each answer, and one for the end of its time', () => {
    const ports =
      typeof node.ports === 'function' ? node.ports({ outcomes: [{ id: 'changes', title: 'Changes' }] }) : [];
    expect(ports.map(({ id }) => id)).toEqual(['approved', 'rejected', 'changes', 'expired']);
  });

  test.each([
    ['no stage', { stages: [] }],
    ['at least, and not how many', { stages: [{ approvers: 'owner', need: 'some' }] }],
    ['an amount that is too large to be one', { stages: [{ approvers: 'owner' }], amount: 1e21 }],
    ['an amount with a comma', { stages: [{ approvers: 'owner' }], amount: '1,000' }],
    [
      'an answer that is there anyway',
      { stages: [{ approvers: 'owner' }], outcomes: [{ id: 'rejected', title: 'No' }] },
    ],
  ])('refuses %s', (_, input) => {
    expect(node.input.safeParse({ title: 'Pay?', ...input }).success).toBe(false);
  });
});
