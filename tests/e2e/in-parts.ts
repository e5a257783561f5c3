import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFailed } from 'vitest';
import { keepPictureOfFailure } from './looking.ts';
import { openStudio, type Studio, type Visit } from './studio.ts';

/** What the tests of a file share. Not there before the first of them begins. */
export interface SharedVisit {
  readonly studio: Studio;
  readonly page: Page;
}

/**
 * A studio, and a visit by the demo's owner, for tests of which each goes on where the one before it ended: after one that failed the others are left out.
 * Every test is held to have caused no trouble in the browser.
 */
export function visitInParts(): SharedVisit {
  let studio: Studio | undefined;
  let visit: Visit | undefined;
  let failed = false;
  const there = <T>(thing: T | undefined): T => {
    if (thing === undefined) throw new Error('The studio is not open yet.');
    return thing;
  };
  beforeAll(async () => {
    studio = await openStudio();
    visit = await studio.openSignedIn();
  });
  afterAll(async () => {
    await studio?.[Symbol.asyncDispose]();
  });
  beforeEach(({ skip }) => {
    skip(failed, 'an earlier part failed');
    onTestFailed(() => {
      failed = true;
    });
    keepPictureOfFailure(there(visit).page);
  });
  afterEach(() => {
    expect(visit?.takeTroubles(), 'errors in the console and requests that failed').toEqual([]);
  });
  return {
    get studio() {
      return there(studio);
    },
    get page() {
      return there(visit).page;
    },
  };
}
