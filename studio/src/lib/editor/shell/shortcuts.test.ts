import { expect, test } from 'vitest';
import { actionFor, keyNames, shortcuts, type Pressed } from './shortcuts.ts';

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});
const canvas = { typing: false, onCanvas: true };

test.each([
  [press('z', { ctrlKey: true }), 'undo'],
  [press('Z', { ctrlKey: true, shiftKey: true }), 'redo'],
  [press('P', { metaKey: true, shiftKey: true }), 'publish'],
  [press('?', { shiftKey: true }), 'help'],
  [press('+', { shiftKey: true }), 'zoomIn'],
  [press('/'), 'palette'],
  [press('Tab'), 'palette'],
  [press('ArrowUp', { altKey: true }), 'moveUp'],
  [press('ArrowUp'), 'selectUp'],
  [press('d', { ctrlKey: true }), 'duplicate'],
  [press('d'), 'toggle'],
  [press('Tab', { shiftKey: true }), undefined],
  [press('q'), undefined],
])('%j does %s', (pressed, action) => {
  expect(actionFor(pressed, canvas)).toBe(action);
});

test('single keys are letters while typing, saving works all the same', () => {
  const typing = { typing: true, onCanvas: false };
  expect(actionFor(press('d'), typing)).toBeUndefined();
  expect(actionFor(press('z', { ctrlKey: true }), typing)).toBeUndefined();
  expect(actionFor(press('s', { ctrlKey: true }), typing)).toBe('save');
});

test('keys that mean something on the page are the page’s away from the canvas', () => {
  for (const key of ['Tab', 'Enter', 'Delete', 'ArrowDown'])
    expect(actionFor(press(key), { typing: false, onCanvas: false })).toBeUndefined();
});

test('no two actions share a key', () => {
  const keys = shortcuts.flatMap((shortcut) => shortcut.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyNames('mod+shift+z', true)).toEqual(['⌘', '⇧', 'Z']);
  expect(keyNames('+', false)).toEqual(['+']);
});
