import { randomUUID } from 'node:crypto';
import type { Sealed } from '@plumbline/db';
import { openStore } from '@plumbline/db';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Connections, type ConnectionSecrets } from './connections.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterEach(() => {
  bench.requests.length = 0;
  bench.intercept = undefined;
});
afterAll(() => bench.close());

const row = async (id: string) => {
  const [found] = await bench.database.asOwner<{
    config: Sealed;
    status: string;
    error_message: string | null;
    refresh_generation: number;
    token_expires_at: Date | null;
  }>('select * from integrations where id = $1', [id]);
  if (!found) throw new Error('the connection is gone');
  const secrets = (await bench.vault.open(
    { companyId: bench.companyId, table: 'integrations', rowId: id, column: 'config' },
    found.config,
  )) as ConnectionSecrets;
  return { ...found, secrets };
};
const refreshes = () => bench.requests.filter(({ path }) => path.includes('/oauth2/v1/tokens/bearer'));

describe('a connection', () => {
  test('whose token is good is opened without asking the vendor', async () => {
    const { id, opened } = await bench.connect('quickbooks');
    const { context, generation } = await new Connections(bench.deps).open(bench.companyId, id);
    expect(context).toMatchObject({
      id,
      accessToken: opened.connection.accessToken,
      baseUrl: 'http://sandbox.test/sandbox/quickbooks',
      account: { realmId: '4620816365213461000' },
    });
    expect(generation).toBe(0);
    expect(bench.requests).toHaveLength(0);
  });

  test('whose token is about to end is refreshed once, however many steps want it, on however many workers', async () => {
    const { id } = await bench.connect('quickbooks', { expiresInSeconds: 30 });
    const store = openStore(bench.database.urls.app);
    try {
      const workers = [new Connections(bench.deps), new Connections({ ...bench.deps, store })];
      bench.intercept = () => new Promise((resolve) => setTimeout(resolve, 100));
      const opened = await Promise.all(
        Array.from({ length: 8 }, (_, index) => workers[index % 2]?.open(bench.companyId, id)),
      );
      expect(refreshes()).toHaveLength(1);
      const { secrets, refresh_generation: generation, token_expires_at: expires } = await row(id);
      expect(new Set(opened.map((one) => one?.context.accessToken))).toEqual(new Set([secrets.accessToken]));
      expect(new Set(opened.map((one) => one?.generation))).toEqual(new Set([1]));
      expect(generation).toBe(1);
      expect(expires?.getTime()).toBe(bench.deps.now().getTime() + 3_600_000);
    } finally {
      await store.close();
    }
  });

  test('has its rotated token stored before anyone uses it', async () => {
    const { id, opened } = await bench.connect('quickbooks');
    const before = await row(id);
    // QuickBooks changes a refresh token's value when it is a day old.
    opened.advance(90_000);
    const { context } = await new Connections(bench.deps).open(bench.companyId, id);
    const after = await row(id);
    expect(after.secrets.accessToken).toBe(context.accessToken);
    expect(after.secrets.accessToken).not.toBe(before.secrets.accessToken);
    expect(after.secrets.refreshToken).not.toBe(before.secrets.refreshToken);
    expect(refreshes()[0]?.body).toContain(`refresh_token=${before.secrets.refreshToken}`);
    expect(refreshes()[0]?.headers.get('authorization')).toMatch(/^Basic /);
    opened.advance(7_200);
    await new Connections(bench.deps).open(bench.companyId, id);
    expect(refreshes()[1]?.body).toContain(`refresh_token=${after.secrets.refreshToken}`);
  });

  test('that was refused is refreshed when it is still the one that was refused, and read again when it is not', async () => {
    const { id } = await bench.connect('quickbooks');
    const connections = new Connections(bench.deps);
    const first = await connections.open(bench.companyId, id);
    const renewed = await Promise.all(
      [1, 2, 3].map(() => connections.open(bench.companyId, id, { refused: first.generation })),
    );
    expect(refreshes()).toHaveLength(1);
    expect(new Set(renewed.map(({ generation }) => generation))).toEqual(new Set([1]));
    expect((await connections.open(bench.companyId, id, { refused: first.generation })).generation).toBe(1);
    expect(refreshes()).toHaveLength(1);
  });

  test('whose grant has ended is marked, and asks for a person from then on without asking the vendor', async () => {
    const { id, opened } = await bench.connect('quickbooks');
    opened.advance(101 * 86_400);
    const connections = new Connections(bench.deps);
    await expect(connections.open(bench.companyId, id)).rejects.toMatchObject({
      kind: 'reauthorize',
      code: 'needs_reconnect',
    });
    expect(await row(id)).toMatchObject({
      status: 'needs_reconnect',
      error_message: 'QuickBooks Online: it refused to renew the access.',
    });
    await expect(connections.open(bench.companyId, id)).rejects.toMatchObject({
      kind: 'reauthorize',
      code: 'needs_reconnect',
    });
    expect(refreshes()).toHaveLength(1);
  });

  test.each([
    ['status', { status: 503 }, 'unavailable'],
    ['status', { status: 429 }, 'throttled'],
    ['malformed', {}, 'contract'],
    ['drop_before', {}, 'unavailable'],
  ] as const)('whose vendor answers a refresh with %s %j stays as it is and says %s', async (kind, more, expected) => {
    const { id, opened } = await bench.connect('quickbooks', { expiresInSeconds: 30 });
    opened.sandbox.fail({ match: '/oauth2/v1/tokens/bearer', kind, ...more });
    const connections = new Connections(bench.deps);
    await expect(connections.open(bench.companyId, id)).rejects.toMatchObject({ kind: expected });
    expect(await row(id)).toMatchObject({ status: 'connected', refresh_generation: 0 });
    expect((await connections.open(bench.companyId, id)).generation).toBe(1);
  });

  test('whose refresh was answered into the void is refreshed again with the old token', async () => {
    const { id, opened } = await bench.connect('quickbooks');
    opened.advance(90_000);
    opened.sandbox.fail({ match: '/oauth2/v1/tokens/bearer', kind: 'drop_after' });
    const connections = new Connections(bench.deps);
    await expect(connections.open(bench.companyId, id)).rejects.toMatchObject({ kind: 'unavailable' });
    expect((await connections.open(bench.companyId, id)).generation).toBe(1);
  });

  test('that cannot be refreshed at all asks for a person', async () => {
    const { id } = await bench.connect('slack');
    await expect(new Connections(bench.deps).open(bench.companyId, id, { refused: 0 })).rejects.toMatchObject({
      kind: 'reauthorize',
    });
    expect((await row(id)).status).toBe('needs_reconnect');
  });

  test('of another company, or none, is not there', async () => {
    const { id } = await bench.connect('slack');
    const connections = new Connections(bench.deps);
    const other = await bench.database.company('Other Homes');
    await expect(connections.open(other, id)).rejects.toMatchObject({ kind: 'not_found', code: 'connection_missing' });
    await expect(connections.open(bench.companyId, randomUUID())).rejects.toMatchObject({
      kind: 'not_found',
      code: 'connection_missing',
    });
  });
});
