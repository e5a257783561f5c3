import { describe, expect, test } from 'vitest';
import { readArguments } from './arguments.ts';
import { CommandError } from './usage.ts';

describe('a command line', () => {
  test('of run gives the values, single ones over the JSON', () =>
    expect(
      readArguments(['run', 'Start', '--values', '{"lot":1,"due":null}', '--value', 'lot=12', '--value', 'memo=a=b']),
    ).toMatchObject({
      command: 'run',
      targets: ['Start'],
      values: { lot: '12', due: null, memo: 'a=b' },
      timeoutMs: 300_000,
    }));

  test('takes where and who from the environment, and the flags win', () => {
    const environment = { PLUMBLINE_URL: 'https://a.example/', PLUMBLINE_EMAIL: 'a@a.example' };
    expect(readArguments(['export', 'x'], environment)).toMatchObject({
      url: 'https://a.example',
      email: 'a@a.example',
    });
    expect(readArguments(['export', 'x', '--url', 'https://b.example'], environment).url).toBe('https://b.example');
  });

  test.each([
    [['fly']],
    [['run']],
    [['run', 'a', 'b']],
    [['validate', '--surprise']],
    [['run', 'a', '--value', 'lot']],
    [['run', 'a', '--values', '[1]']],
    [['run', 'a', '--timeout', '-1']],
    [['export', 'a', '--version', 'two']],
  ])('%j is refused with what is wrong', (argv) => {
    expect(() => readArguments(argv)).toThrow(CommandError);
    expect(() => readArguments(argv)).toThrow(/\w/);
  });

  test('without a command asks for help', () => expect(readArguments([]).command).toBe('help'));
});
