import { isSecretName } from '@plumbline/workflows/flow';
import { describe, expect, test } from 'vitest';
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
  ])('%s is named like a secret', (name) => expect(isSecretName(name)).toBe(true));

  test.each(['SyncToken', 'nextPageToken', 'number', 'authorName', 'tokenCount', 'secretary', 'pinned', 'keyboard'])(
    '%s is not',
    (name) => expect(isSecretName(name)).toBe(false),
  );

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
    expect(unmask({ memo: '••••••••', other: '••••••••' }, original)).toEqual({
      memo: '••••••••',
      other: '••••••••',
    });
    expect(unmask({ token: 'mine' }, original)).toEqual({ token: 'mine' });
  });
});
