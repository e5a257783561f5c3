import { expect, test } from 'vitest';
import { missingRow } from './missing-row.ts';

const error = { kind: 'invalid', code: 'lookup_missing', message: '', fix: '' };
const input = { source: 'map', map: { id: 'm1', name: 'Accounts' }, value: '99' };

test('a step without a row says which value map to open, and with which key', () => {
  expect(missingRow('core.lookup', { input, error })).toEqual({ map: 'm1', name: 'Accounts', key: '99' });
  expect(missingRow('core.lookup', { input: { ...input, value: { code: '7', lot: 'x' } }, error })?.key).toBe('7');
});

test('any other step, any other trouble and a table of its own have none', () => {
  expect(missingRow('core.map', { input, error })).toBeUndefined();
  expect(missingRow('core.lookup', { input, error: { ...error, code: 'value_invalid' } })).toBeUndefined();
  expect(missingRow('core.lookup', { input: { ...input, source: 'table' }, error })).toBeUndefined();
  expect(missingRow('core.lookup', { input: null, error: null })).toBeUndefined();
  expect(missingRow('core.lookup', undefined)).toBeUndefined();
});
