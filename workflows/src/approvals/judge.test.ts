import { describe, expect, test } from 'vitest';
import { judgeStage, needOf } from './judge.ts';
import { waitingWords } from './waiting-words.ts';

const [yes, no] = ['approved', 'rejected'];

describe('a stage', () => {
  test.each([
    ['nobody has decided', 1, [], { kind: 'open' }],
    ['one of one approved', 1, [yes], { kind: 'approved' }],
    ['one of two approved', 2, [yes], { kind: 'open' }],
    ['two of two approved', 2, [yes, yes], { kind: 'approved' }],
    ['one rejected before any approved', 2, [no], { kind: 'ended', outcome: no }],
    ['one approved, then one rejected', 2, [yes, no], { kind: 'ended', outcome: no }],
    ['one asked for changes', 3, [yes, 'changes'], { kind: 'ended', outcome: 'changes' }],
    ['enough approved before one rejected', 1, [yes, no], { kind: 'approved' }],
  ] as const)('when %s', (_, need, decided, expected) => {
    expect(judgeStage(need, decided)).toEqual(expected);
  });

  test.each([
    ['any', undefined, 3, 1],
    ['all', undefined, 3, 3],
    ['some', 2, 3, 2],
    ['some', 3, 3, 3],
    ['some', 4, 3, undefined],
    ['all', undefined, 0, undefined],
  ] as const)('of %s (%s) of %i needs %s', (need, count, asked, expected) => {
    expect(needOf(need, count, asked)).toBe(expected);
  });
});

test.each([
  [[{ need: 1, approved: 0, open: ['Ana'] }], 'Ana'],
  [[{ need: 2, approved: 0, open: ['Ana', 'Ben'] }], 'Ana and Ben'],
  [[{ need: 1, approved: 0, open: ['Ben', 'Cal'] }], 'one of Ben, Cal'],
  [[{ need: 2, approved: 0, open: ['Ana', 'Ben', 'Cal'] }], '2 of Ana, Ben, Cal'],
  [[{ need: 2, approved: 1, open: ['Ben', 'Cal'] }], 'one of Ben, Cal'],
  [
    [
      { need: 1, approved: 0, open: ['Ana'] },
      { need: 1, approved: 0, open: ['Ben', 'Cal'] },
    ],
    'Ana, then one of Ben, Cal',
  ],
])('for whom it waits is said in words: %j is %s', (stages, expected) => {
  expect(waitingWords(stages)).toBe(expected);
});
