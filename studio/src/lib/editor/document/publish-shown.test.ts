import { afterEach, expect, test, vi } from 'vitest';
import { ApiProblem, local } from '../../api/problem.ts';
import { api } from '../../api/client.ts';
import { publishShown } from './publish-shown.ts';

afterEach(() => void vi.unstubAllGlobals());

/** An engine whose draft is at a revision: it publishes that one and no other. */
function setUp(given: { readonly shown: number; readonly stored: number; readonly saves?: boolean }) {
  let { shown } = given;
  const published: number[] = [];
  const parts = {
    autosave: {
      flush: () => Promise.resolve(given.saves ?? true),
      get revision() {
        return shown;
      },
    },
    publish: (revision: number) => {
      if (revision !== given.stored)
        throw new ApiProblem(local({ code: 'revision_conflict', title: '', detail: 'Changed.', fix: 'Look.' }));
      published.push(revision);
      return Promise.resolve({ number: 2 } as never);
    },
    takeTheirs: () => {
      shown = given.stored;
      return Promise.resolve();
    },
  };
  return { published, publish: () => publishShown(parts) };
}

test('what is shown is published', async () => {
  const { publish, published } = setUp({ shown: 7, stored: 7 });
  expect(await publish()).toEqual({ number: 2 });
  expect(published).toEqual([7]);
});

test('what a colleague made of it since is not, but is shown; then it can be', async () => {
  const { publish, published } = setUp({ shown: 7, stored: 8 });
  await expect(publish()).rejects.toThrow('Changed.');
  expect(published).toEqual([]);
  await publish();
  expect(published).toEqual([8]);
});

test('what could not be saved is not published', async () => {
  const { publish, published } = setUp({ shown: 7, stored: 7, saves: false });
  await expect(publish()).rejects.toThrow('could not be saved');
  expect(published).toEqual([]);
});

test('the engine is told which revision was shown', async () => {
  const fetch = vi.fn(() => Promise.resolve(Response.json({ number: 2 })));
  vi.stubGlobal('fetch', fetch);
  await api.flows.publish('f', 7, 'Why');
  const [address, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
  expect(address).toBe('/api/flows/f/publish');
  expect(new Headers(init.headers).get('if-match')).toBe('"7"');
  expect(init.body).toBe('{"note":"Why"}');
});
