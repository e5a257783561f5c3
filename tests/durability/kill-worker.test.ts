import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playDemo } from '@plumbline/engine/demo/scenario';
import { describe, expect, test } from 'vitest';
import { testPlatform } from '../support/platform.ts';

/** The worker is killed with SIGKILL the first time it comes here; the supervisor starts another. */
describe.each([
  ['after-intent', 'before QuickBooks is called'],
  ['after-vendor-call', 'between the call to QuickBooks and its recording'],
  ['after-step-recorded', 'between the recording and telling Temporal'],
])('the worker dies %s (%s)', (point) => {
  test('one bill, one message, and the run succeeds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plumbline-crash-'));
    await writeFile(join(folder, point), '');
    await using up = await testPlatform({ PLUMBLINE_CRASH_FOLDER: folder });
    const result = await playDemo(up.origin, () => undefined);
    expect(existsSync(join(folder, `.${point}`)), 'the worker really died').toBe(true);
    expect(up.restarts).toEqual(['worker']);
    expect(result.status).toBe('succeeded');
    const { rows: approved } = await up.owner.query<{ number: string }>(
      `select data #>> '{record,number}' as number from events where key = 'vendor_invoice.approved'`,
    );
    const number = approved[0]?.number ?? 'none';
    const page = await (await fetch(`${up.origin}/sandbox/quickbooks/ui`)).text();
    expect(page.split(number).length - 1, 'bills with its number').toBe(1);
    const messages = await (await fetch(`${up.origin}/sandbox/slack/ui`)).text();
    expect(messages.split(`Bill ${number}`).length - 1, 'messages about it').toBe(1);
    await rm(folder, { recursive: true, force: true });
  });
});
