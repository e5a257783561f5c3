import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Autosave, type AutosaveParts, type Draft, type SaveState } from './autosave.ts';
import { exampleFlow } from './example.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(write?: AutosaveParts['write']) {
  const states: SaveState['kind'][] = [];
  const written: { revision: number; draft: Draft }[] = [];
  let draft: Draft = { name: 'Bills', document: exampleFlow };
  const autosave = new Autosave({
    revision: 7,
    read: () => draft,
    write:
      write ??
      (async (revision, given) => (written.push({ revision, draft: given }), { revision: revision + 1, findings: [] })),
    refusal: (error) => error as { code: string; message: string; passing: boolean },
    onState: (state) => states.push(state.kind),
    onSaved: () => {},
    now: () => 0,
  });
  const change = (name: string) => {
    draft = { ...draft, name };
    autosave.touch();
  };
  return { autosave, states, written, change };
}

test('a burst of changes is saved once, 800 ms after the last', async () => {
  const { written, change, states } = setUp();
  for (const name of ['a', 'ab', 'abc']) {
    change(name);
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(800);
  expect(written.map(({ revision, draft }) => [revision, draft.name])).toEqual([[7, 'abc']]);
  expect(states.at(-1)).toBe('saved');
});

test('what is typed while a save is on its way is saved after it, with the new revision', async () => {
  let release = () => {};
  const seen: [number, string][] = [];
  const { change, autosave } = setUp(async (revision, draft) => {
    seen.push([revision, draft.name]);
    if (seen.length === 1) await new Promise<void>((done) => (release = done));
    return { revision: revision + 1, findings: [] };
  });
  change('first');
  await vi.advanceTimersByTimeAsync(800);
  change('second');
  const flushed = autosave.flush();
  release();
  expect(await flushed).toBe(true);
  expect(seen).toEqual([
    [7, 'first'],
    [8, 'second'],
  ]);
});

test('a lost network is tried again by itself', async () => {
  let down = true;
  const { change, states, autosave } = setUp(async (revision) => {
    if (down) throw { code: 'unreachable', message: 'gone', passing: true };
    return { revision: revision + 1, findings: [] };
  });
  change('kept');
  await vi.advanceTimersByTimeAsync(800);
  expect(states.at(-1)).toBe('failed');
  expect(autosave.dirty).toBe(true);
  down = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(states.at(-1)).toBe('saved');
});

test('a conflict stops saving until a person has decided', async () => {
  let theirs = true;
  const seen: number[] = [];
  const { change, states, autosave } = setUp(async (revision) => {
    seen.push(revision);
    if (theirs) throw { code: 'revision_conflict', message: 'changed', passing: false };
    return { revision: revision + 1, findings: [] };
  });
  change('mine');
  await vi.advanceTimersByTimeAsync(800);
  expect(states.at(-1)).toBe('conflict');
  change('mine too');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual([7]);
  theirs = false;
  await autosave.resolve(12);
  expect(seen).toEqual([7, 12]);
  expect(states.at(-1)).toBe('saved');
});

test('undoing back to what is saved needs no save', async () => {
  const { change, written, states } = setUp();
  change('a');
  change('Bills');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(written).toEqual([]);
  expect(states.at(-1)).toBe('saved');
});
