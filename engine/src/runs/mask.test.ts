import { isSecretName } from '@plumbline/workflows/flow';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../problem.ts';
import { mask, unmask } from './mask.ts';

describe('what a person sees of a run', () => {
  test.each([
    'token',
    'accessToken',
    'refresh_token',
    'X-Api-Key',
    'Authorization',
    'client_secret',
    'PASSWORD',
    'Set-Cookie',
    'ssn',
    'taxId',
    'routingNumber',
    'X-Hub-Signature',
    'stripe_secret_key',
    'secretAccessKey',
    'signingKey',
    'passcode',
    'bankAccountNumber',
    'connectionString',
  ])('%s is named like a secret', (name) => expect(isSecretName(name)).toBe(true));

  test.each([
    'SyncToken',
    'nextPageToken',
    'number',
    'authorName',
    'tokenCount',
    'secretary',
    'pinned',
    'keyboard',
    'primaryKey',
    'accountNumberFormat',
  ])('%s is not', (name) => expect(isSecretName(name)).toBe(false));

  test('secrets are masked however deep, headers in lists too; limits and switches are not', () => {
    expect(
      mask({
        number: 'INV-1',
        auth: { user: 'dana', pass: 'x' },
        options: { maxTokens: 5, token: true, list: [{ password: 'p' }, { password: '' }] },
        headers: [
          { name: 'Authorization', value: 'Bearer abc' },
          { name: 'Accept', value: 'text/plain' },
        ],
      }),
    ).toEqual({
      number: 'INV-1',
      auth: { user: '••••••••', pass: '••••••••' },
      options: { maxTokens: 5, token: true, list: [{ password: '••••••••' }, { password: '' }] },
      headers: [
        { name: 'Authorization', value: '••••••••' },
        { name: 'Accept', value: 'text/plain' },
      ],
    });
  });

  test('of card numbers the last four digits stay, in the middle of a sentence too', () => {
    expect(mask('paid with 4242 4242 4242 4242, thanks')).toBe('paid with •••• 4242, thanks');
    expect(mask({ card: '378282246310005' })).toEqual({ card: '•••• 0005' });
  });

  test.each([
    '42424242-4242-4242-b486-a1987cedd092',
    '4242424242424241',
    '9130347957983436',
    '1795443819.728000',
    '2026-11-24T14:54:32Z',
    '555-0123',
  ])('%s is no card number', (text) => expect(mask(text)).toBe(text));

  test('what is sent back with its masks gets the secrets back, and nothing else', () => {
    const original = { token: 'abc', memo: 'old', lines: [{ secret: 's1' }, { secret: 's2' }] };
    const seen = mask(original);
    expect(unmask({ ...seen, memo: 'new' }, original)).toEqual({ ...original, memo: 'new' });
    expect(unmask({ token: 'mine' }, original)).toEqual({ token: 'mine' });
  });
});

describe('what is left masked in a list is told by how it looks, not by where it stands', () => {
  const pay = (vendor: string, iban: string, amount = '1') => ({ vendor, iban, amount });
  const [first, second, third] = [pay('Ridge', 'DE11'), pay('Valley', 'DE22'), pay('Summit', 'DE33')];
  const original = { payments: [first, second, third] };
  const shown = mask(original).payments;
  const paid = (...payments: readonly unknown[]) => unmask({ payments }, original).payments;

  test('an item keeps its own secret when others are deleted, moved or added', () => {
    expect(paid(shown[1])).toEqual([second]);
    expect(paid(shown[2], shown[0], shown[1])).toEqual([third, first, second]);
    expect(paid(pay('New', 'DE44'), ...shown)).toEqual([pay('New', 'DE44'), first, second, third]);
    expect(paid(shown[0], shown[0])).toEqual([first, first]);
    expect(paid({ amount: '1', iban: '••••••••', vendor: 'Valley' })).toEqual([second]);
  });

  test('one that was edited keeps it while nothing else in the list has changed', () => {
    const edited = { ...shown[1], amount: '2' };
    expect(paid(shown[0], edited, shown[2])).toEqual([first, { ...second, amount: '2' }, third]);
  });

  test.each([
    ['one is gone', [{ ...shown[1], amount: '2' }, shown[2]], 'input.payments.0.iban'],
    [
      'one was added',
      [...shown.slice(0, 2), { ...shown[2], amount: '2' }, pay('New', 'DE44')],
      'input.payments.2.iban',
    ],
    [
      'another was edited too',
      [shown[0], { ...shown[1], amount: '2' }, { ...shown[2], amount: '2' }],
      'input.payments.1.iban',
    ],
    ['two have changed places', [shown[1], { ...shown[0], amount: '2' }, shown[2]], 'input.payments.1.iban'],
  ])('it is refused when it was edited and %s', (_, payments, path) => {
    expect(problemOf(() => paid(...payments))).toMatchObject({ code: 'invalid_input', path });
  });

  test('items that look the same keep theirs in place, and are refused once one of them may be gone', () => {
    const twins = { keys: ['x'], tokens: ['a', 'b'], same: [{ pin: 'a' }, { pin: 'a' }] };
    expect(unmask(mask(twins), twins)).toEqual(twins);
    expect(unmask({ tokens: ['••••••••', 'new'] }, twins)).toEqual({ tokens: ['a', 'new'] });
    expect(unmask({ tokens: ['new', '••••••••'] }, twins)).toEqual({ tokens: ['new', 'b'] });
    expect(unmask({ tokens: ['••••••••', '••••••••', 'new'] }, twins)).toEqual({ tokens: ['a', 'b', 'new'] });
    expect(unmask({ same: [{ pin: '••••••••' }] }, twins)).toEqual({ same: [{ pin: 'a' }] });
    expect(problemOf(() => unmask({ tokens: ['••••••••'] }, twins)).path).toBe('input.tokens.0');
    expect(problemOf(() => unmask({ tokens: ['new', '••••••••', '••••••••'] }, twins)).path).toBe('input.tokens.2');
  });

  test('so are items of a list in an item', () => {
    const nested = {
      orders: [
        { id: 1, payments: [first, second] },
        { id: 2, payments: [third] },
      ],
    };
    const [one, two] = mask(nested).orders;
    const given = { orders: [{ ...one, payments: [one?.payments[1]] }, two] };
    expect(unmask(given, nested)).toEqual({
      orders: [
        { id: 1, payments: [second] },
        { id: 2, payments: [third] },
      ],
    });
  });
});

describe('a mask is never sent on as if it were a value', () => {
  const original = {
    token: 'abc',
    memo: 'Paid with 4242 4242 4242 4242',
    note: 'Visa •••• 4242',
    list: ['•••• 1111', 'x'],
  };

  test.each([
    ['in a field that did not hold it', { memo: '••••••••' }, 'input.memo'],
    ['in a field that there was not', { deep: { other: 'is ••••••••!' } }, 'input.deep.other'],
    ['in a text that was edited around it', { memo: 'Paid by •••• 4242' }, 'input.memo'],
    ['in a list where there was none', { token: ['••••••••'] }, 'input.token.0'],
    ['in fields where there was a list', { list: { 0: '•••• 1111' } }, 'input.list.0'],
  ])('%s', (_, given, path) => {
    const { code, fix, message, path: named } = problemOf(() => unmask<unknown>(given, original));
    expect([code, named]).toEqual(['invalid_input', path]);
    expect(message).toContain(path.slice('input.'.length));
    expect(fix).toMatch(/^Write this value anew: /);
  });

  test('what looked like one from the beginning is one', () => {
    expect(unmask({ note: 'Visa •••• 4242', list: ['•••• 1111', 'y'] }, original)).toEqual({
      note: 'Visa •••• 4242',
      list: ['•••• 1111', 'y'],
    });
  });
});

function problemOf(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
