import type { Notice, Page as PageOf, RecordRow, RunSummary } from '@plumbline/engine/contract';
import { playDemo } from '@plumbline/engine/demo/scenario';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { gone, keepPictureOfFailure, objections, see, settled } from './looking.ts';
import { desktop, openStudio, phone, type Studio, type Visit } from './studio.ts';

let studio: Studio;
/** Signed in, and not. */
let inside: Visit;
let outside: Visit;
/** Addresses that are only known once there is data. */
const made = { flow: '', run: '', parked: '', invoice: '', map: '' };

beforeAll(async () => {
  studio = await openStudio();
  const { origin } = studio.up;
  made.run = (await playDemo(origin, () => undefined)).run;
  const client = await studio.up.client();
  made.flow = (await client.call<RunSummary>('GET', `/api/runs/${made.run}`)).flowId;
  const approved = await client.call<PageOf<RecordRow>>('GET', '/api/records/vendor_invoice?status=approved');
  made.invoice = approved.items[0]?.id ?? '';
  const map = await client.call<{ id: string }>('POST', '/api/value-maps', {
    name: 'Accounts',
    columns: [
      { id: 'code', title: 'Cost code', type: 'text', key: true },
      { id: 'account', title: 'Account', type: 'text', key: false },
    ],
    rows: [{ code: '03-100', account: '5100' }],
  });
  made.map = map.id;
  // A run that needs a person, and the notice of it.
  await fetch(`${origin}/sandbox/quickbooks/_faults`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ match: '/bill', kind: 'status', status: 400 }),
  });
  const submitted = await client.call<PageOf<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
  await client.call('POST', `/api/records/vendor_invoice/${submitted.items[0]?.id}/status`, { to: 'approved' });
  made.parked = await until('the run to park', async () => {
    const { items } = await client.call<PageOf<RunSummary>>('GET', '/api/runs?status=parked');
    return items[0]?.id;
  });
  await until('the notice', async () => (await client.call<Notice[]>('GET', '/api/notifications')).length > 0);
  [inside, outside] = await Promise.all([studio.openSignedIn(), studio.open()]);
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});
afterEach(() => {
  const troubles = [...inside.takeTroubles(), ...outside.takeTroubles()];
  expect(troubles, 'errors in the console and requests that failed').toEqual([]);
});

interface Place {
  readonly name: string;
  readonly path: () => string;
  /** Shows that the page is there, with its data. */
  readonly ready: (page: Page) => Promise<void>;
}

const places: readonly Place[] = [
  {
    name: 'sign-in',
    path: () => '/sign-in',
    ready: async (page) => await see(page.getByRole('button', { name: 'Try the demo company' })),
  },
  {
    name: 'flows',
    path: () => '/flows',
    ready: async (page) => await see(page.getByRole('link', { name: /^Approved invoice/ })),
  },
  {
    name: 'editor',
    path: () => `/flows/${made.flow}`,
    ready: async (page) => await see(page.getByText('Create the bill').first()),
  },
  {
    name: 'runs',
    path: () => '/runs',
    ready: async (page) => await see(page.getByRole('link', { name: /INV-/ }).first()),
  },
  {
    name: 'run',
    path: () => `/runs/${made.run}`,
    ready: async (page) =>
      await see(
        page
          .getByRole('region', { name: 'Output' })
          .or(page.getByRole('region', { name: 'What started it' }))
          .first(),
      ),
  },
  {
    name: 'run that needs a person',
    path: () => `/runs/${made.parked}`,
    ready: async (page) => await see(page.getByRole('button', { name: 'Retry', exact: true })),
  },
  {
    name: 'runs by error',
    path: () => '/runs?group=error&when=week',
    ready: async (page) => await see(page.getByText('See the newest').or(page.getByText('No run failed')).first()),
  },
  {
    name: 'waiting',
    path: () => '/queue',
    ready: async (page) => await see(page.getByRole('heading', { name: /Needs you/ })),
  },
  {
    name: 'versions',
    path: () => `/flows/${made.flow}/versions?from=draft&to=1`,
    ready: async (page) => await see(page.getByRole('region', { name: 'Comparison' }).getByRole('status')),
  },
  {
    name: 'value maps',
    path: () => '/value-maps',
    ready: async (page) => await see(page.getByRole('link', { name: 'Accounts' })),
  },
  {
    name: 'value map',
    path: () => `/value-maps/${made.map}`,
    ready: async (page) => await see(page.getByLabel('Account, row 1')),
  },
  {
    name: 'templates',
    path: () => '/templates',
    ready: async (page) => await see(page.getByRole('link', { name: /^Approved invoice/ })),
  },
  {
    name: 'template',
    path: () => '/templates/approved-invoice-to-quickbooks-bill',
    ready: async (page) => await see(page.getByRole('radio').first()),
  },
  {
    name: 'kinds of records',
    path: () => '/records',
    ready: async (page) => await see(page.getByRole('link', { name: 'Vendor invoices' })),
  },
  {
    name: 'records',
    path: () => '/records/vendor_invoice',
    ready: async (page) => await see(page.getByRole('link', { name: /^INV-/ }).first()),
  },
  {
    name: 'record',
    path: () => `/records/vendor_invoice/${made.invoice}`,
    ready: async (page) => await see(page.getByRole('heading', { name: 'History' })),
  },
  {
    name: 'connections',
    path: () => '/settings/integrations',
    ready: async (page) => await see(page.getByText('Hartwell Homes LLC').first()),
  },
  {
    name: 'connection',
    path: () => '/settings/integrations/quickbooks',
    ready: async (page) => await see(page.getByText('Hartwell Homes LLC').first()),
  },
  {
    name: 'notifications',
    path: () => '/notifications',
    ready: async (page) => await see(page.locator('h2 a[data-row]').first()),
  },
];

async function visit(place: Place): Promise<Page> {
  const { page } = place.name === 'sign-in' ? outside : inside;
  keepPictureOfFailure(page);
  await page.goto(place.path());
  await place.ready(page);
  return page;
}

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  beforeAll(async () => {
    for (const { page } of [inside, outside]) {
      await page.setViewportSize(desktop);
      await page.emulateMedia({ colorScheme });
    }
  });

  test.each(places)('axe has nothing to object to on the page $name', async (place) => {
    const page = await visit(place);
    expect(await objections(page)).toEqual([]);
  });

  test('axe has nothing to object to on what opens over the editor', async () => {
    const { page } = inside;
    keepPictureOfFailure(page);
    await page.goto(`/flows/${made.flow}`);
    await page.locator('.svelte-flow__node').filter({ hasText: 'Create the bill' }).click();
    await see(page.getByRole('complementary', { name: 'Step' }).getByTestId('preview').first());
    expect(await objections(page), 'a step').toEqual([]);

    await page.getByRole('button', { name: 'Add a step between Create the bill and Tell the channel' }).click();
    await see(page.getByRole('dialog', { name: 'Add a step' }).getByRole('option').first());
    expect(await objections(page), 'the palette').toEqual([]);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Publish' }).click();
    await see(page.getByText('Nothing has changed since it was published.'));
    expect(await objections(page), 'publishing').toEqual([]);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Runs', exact: true }).click();
    await see(page.getByText('The canvas shows version 1'));
    expect(await objections(page), 'a run').toEqual([]);
  });

  test('axe has nothing to object to on what decides about runs and versions', async () => {
    const { page } = inside;
    keepPictureOfFailure(page);
    await page.goto(`/runs/${made.parked}`);
    for (const button of ['Edit input and retry…', 'Skip with output…', 'Stop the run…']) {
      await page.getByRole('button', { name: button }).click();
      await see(page.getByRole('dialog'));
      expect(await objections(page), button).toEqual([]);
      await page.keyboard.press('Escape');
      await gone(page.getByRole('dialog'));
    }
    await page.goto('/queue');
    await page.getByRole('button', { name: 'Replace fields…' }).first().click();
    await see(page.getByLabel('Fields to replace (JSON)'));
    expect(await objections(page), 'many at once').toEqual([]);
    await page.keyboard.press('Escape');

    await page.goto(`/flows/${made.flow}/versions`);
    await page.getByRole('button', { name: 'New draft from version 1' }).click();
    await see(page.getByRole('dialog'));
    expect(await objections(page), 'a new draft').toEqual([]);
    await page.keyboard.press('Escape');
  });

  test('axe has nothing to object to on what opens over every page', async () => {
    const { page } = inside;
    keepPictureOfFailure(page);
    await page.goto('/notifications');
    for (const [keys, name] of [
      ['Control+k', 'Find anything'],
      ['?', 'Keyboard shortcuts'],
    ] as const) {
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.keyboard.press(keys);
      await see(page.getByRole('dialog', { name }));
      expect(await objections(page), name).toEqual([]);
      await page.keyboard.press('Escape');
      await gone(page.getByRole('dialog', { name }));
    }
  });
});

describe('on a phone', () => {
  beforeAll(async () => {
    for (const { page } of [inside, outside]) await page.setViewportSize(phone);
  });

  test.each(places)('the page $name does not scroll sideways', async (place) => {
    const page = await visit(place);
    await settled(page);
    // The page itself, and the part of it that scrolls up and down.
    const tooWide = await page.evaluate(() =>
      [document.scrollingElement, document.querySelector('main')]
        .filter((element) => element !== null)
        .filter((element) => element.scrollWidth > Math.min(element.clientWidth, window.innerWidth))
        .map((element) => `${element.tagName} ${element.scrollWidth}`),
    );
    expect(tooWide).toEqual([]);
  });
});
