import { loadCatalog, type Connector } from '@plumbline/nodes';
import OAuthClient from 'intuit-oauth';
import QuickBooks from 'node-quickbooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approve, redirectUri, serveSandbox, testClient, type SandboxServer } from './sandbox-server.ts';

/** What the two official clients are, as far as they are used here: their own typings leave half of it out. */
type Answer = Record<string, unknown> & { readonly Id: string; readonly SyncToken: string };
interface Books {
  readonly [method: string]: (...parameters: unknown[]) => void;
}

const realm = '4620816365213461000';
let server: SandboxServer;
let books: Books;
let oauth: OAuthClient;

beforeAll(async () => {
  const catalog = await loadCatalog();
  server = await serveSandbox(catalog.connectors.get('quickbooks') as Connector);
  Object.assign(OAuthClient, {
    authorizeEndpoint: `${server.origin}/connect/oauth2`,
    tokenEndpoint: `${server.origin}/oauth2/v1/tokens/bearer`,
    revokeEndpoint: `${server.origin}/v2/oauth2/tokens/revoke`,
  });
  oauth = await connected();
  Object.assign(QuickBooks, { V3_ENDPOINT_BASE_URL: `${server.origin}/v3/company/` });
  books = booksWith(oauth.getToken().access_token);
});
afterAll(() => server[Symbol.asyncDispose]());

function newClient(): OAuthClient {
  return new OAuthClient({ ...testClient, environment: 'sandbox', redirectUri });
}

/** Through the consent page, as a person would. */
async function connected(): Promise<OAuthClient> {
  const client = newClient();
  await client.createToken(
    await approve(client.authorizeUri({ scope: ['com.intuit.quickbooks.accounting'], state: 'state-1' })),
  );
  return client;
}

function booksWith(token: string): Books {
  const { clientId, clientSecret } = testClient;
  return new (QuickBooks as unknown as new (...parameters: unknown[]) => Books)(
    clientId,
    clientSecret,
    token,
    false,
    realm,
    true,
    false,
    null,
    '2.0',
    'refresh',
  );
}

/** Calls one of the client's methods; rejects with the body that came with its error. */
function call<T = Answer>(method: string, ...parameters: unknown[]): Promise<T> {
  return on(books, method, ...parameters);
}
function on<T = Answer>(client: Books, method: string, ...parameters: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    client[method]?.call(
      client,
      ...parameters,
      (error: { readonly response?: { readonly status: number; readonly data: object } } | null, answer: T) => {
        if (error)
          reject(
            Object.assign(
              new Error(method),
              error.response ? { status: error.response.status, ...error.response.data } : error,
            ),
          );
        else resolve(answer);
      },
    );
  });
}

const newBill = (number: string, amount = 1234.1) => ({
  VendorRef: { value: '45' },
  DocNumber: number,
  TxnDate: '2026-03-02',
  Line: [
    {
      Amount: amount,
      DetailType: 'AccountBasedExpenseLineDetail',
      AccountBasedExpenseLineDetail: { AccountRef: { value: '28' } },
    },
  ],
});

describe('intuit-oauth against the sandbox', () => {
  test('gets a token for the company that was chosen', () => {
    const token = oauth.getToken();
    expect(token.realmId).toBe(realm);
    expect(oauth.isAccessTokenValid()).toBe(true);
    expect(token).toMatchObject({ token_type: 'bearer', expires_in: 3_600, x_refresh_token_expires_in: 8_640_000 });
  });

  test('refreshes, and the new token opens the books', async () => {
    const client = await connected();
    const before = client.getToken().access_token;
    await client.refresh();
    const { access_token: after } = client.getToken();
    expect(after).not.toBe(before);
    expect(await on(booksWith(after), 'getCompanyInfo', realm)).toMatchObject({ CompanyName: 'Hartwell Homes LLC' });
  });

  test('is given another refresh token when the old one is a day old', async () => {
    const client = await connected();
    const first = client.getToken().refresh_token;
    await client.refresh();
    expect(client.getToken().refresh_token).toBe(first);
    server.advance(86_400);
    await client.refreshUsingToken(first);
    expect(client.getToken().refresh_token).not.toBe(first);
    books = booksWith((oauth = await connected()).getToken().access_token);
  });

  test('revokes, after which neither token is good', async () => {
    const client = await connected();
    const { access_token: access, refresh_token: refresh } = client.getToken();
    await client.revoke();
    await expect(on(booksWith(access), 'getCompanyInfo', realm)).rejects.toMatchObject({
      status: 401,
      Fault: { type: 'AuthenticationFault', Error: [{ code: '3200' }] },
    });
    await expect(newClient().refreshUsingToken(refresh)).rejects.toThrow(/invalid_grant|400/);
    books = booksWith((oauth = await connected()).getToken().access_token);
  });

  test('is refused a code that was used, and a refresh token that never was', async () => {
    const client = newClient();
    const back = await approve(client.authorizeUri({ scope: ['com.intuit.quickbooks.accounting'], state: 'state-2' }));
    await client.createToken(back);
    await expect(newClient().createToken(back)).rejects.toThrow(/invalid|40[01]/);
    await expect(newClient().refreshUsingToken('AB11never')).rejects.toThrow(/invalid|40[01]/);
    await expect(
      new OAuthClient({ ...testClient, clientSecret: 'wrong', environment: 'sandbox', redirectUri }).refreshUsingToken(
        client.getToken().refresh_token,
      ),
    ).rejects.toThrow(/invalid|40[01]/);
  });
});

describe('node-quickbooks against the sandbox', () => {
  test('creates a vendor, finds it, changes it, and reads it back', async () => {
    const created = await call('createVendor', {
      DisplayName: "O'Brien & Sons",
      PrimaryEmailAddr: { Address: 'ap@obrien.example' },
    });
    expect(created).toMatchObject({ DisplayName: "O'Brien & Sons", Active: true, SyncToken: '0', domain: 'QBO' });
    const found = await call<{ QueryResponse: { Vendor: Answer[]; maxResults: number; startPosition: number } }>(
      'findVendors',
      { DisplayName: "O'Brien & Sons" },
    );
    expect(found.QueryResponse).toMatchObject({ Vendor: [{ Id: created.Id }], maxResults: 1, startPosition: 1 });
    const updated = await call('updateVendor', {
      Id: created.Id,
      SyncToken: created.SyncToken,
      PrimaryEmailAddr: { Address: 'office@obrien.example' },
    });
    expect(updated).toMatchObject({
      SyncToken: '1',
      DisplayName: "O'Brien & Sons",
      PrimaryEmailAddr: { Address: 'office@obrien.example' },
    });
    expect(await call('getVendor', created.Id)).toMatchObject({ SyncToken: '1' });
  });

  test('pages through all vendors and counts them', async () => {
    const all = await call<{ QueryResponse: { Vendor: Answer[] } }>('findVendors', { fetchAll: true, limit: 25 });
    const { QueryResponse } = await call<{ QueryResponse: { totalCount: number } }>('findVendors', { count: true });
    expect(new Set(all.QueryResponse.Vendor.map(({ Id }) => Id)).size).toBe(QueryResponse.totalCount);
    expect(QueryResponse.totalCount).toBeGreaterThan(50);
  });

  test('finds by several conditions, a list, a pattern, and in an order', async () => {
    const found = await call<{ QueryResponse: { Account: Answer[] } }>('findAccounts', [
      { field: 'Classification', value: 'Expense' },
      { field: 'Name', value: '%R%', operator: 'LIKE' },
      { field: 'asc', value: 'Name' },
      { field: 'limit', value: 5 },
    ]);
    const names = found.QueryResponse.Account.map(({ Name }) => String(Name));
    expect(names).toHaveLength(5);
    expect(names).toEqual(names.toSorted());
    const listed = await call<{ QueryResponse: { Vendor: Answer[] } }>('findVendors', {
      DisplayName: ['Pisgah Electric', 'French Broad Plumbing'],
    });
    expect(listed.QueryResponse.Vendor).toHaveLength(2);
    expect((await call<{ QueryResponse: object }>('findVendors', { DisplayName: 'Nobody' })).QueryResponse).toEqual({});
  });

  test('enters a bill, reads it, and deletes it', async () => {
    const bill = await call('createBill', newBill('PE-1'));
    expect(bill).toMatchObject({
      DocNumber: 'PE-1',
      TotalAmt: 1234.1,
      Balance: 1234.1,
      VendorRef: { value: '45', name: 'Pisgah Electric' },
      Line: [{ Id: '1', LineNum: 1, Amount: 1234.1 }],
    });
    expect(await call('getBill', bill.Id)).toMatchObject({ Id: bill.Id });
    await call('deleteBill', { Id: bill.Id, SyncToken: bill.SyncToken });
    await expect(call('getBill', bill.Id)).rejects.toMatchObject({ Fault: { Error: [{ code: '610' }] } });
  });

  test('is given the first answer again for the same requestid', async () => {
    const first = await call('createBill', { ...newBill('PE-2'), requestId: 'request-1' });
    expect(await call('createBill', { ...newBill('PE-2'), requestId: 'request-1' })).toEqual(first);
    const { QueryResponse } = await call<{ QueryResponse: { totalCount: number } }>('findBills', [
      { field: 'DocNumber', value: 'PE-2' },
      { count: true },
    ]);
    expect(QueryResponse.totalCount).toBe(1);
  });

  test('reads the company', async () => {
    expect(await call('getCompanyInfo', realm)).toMatchObject({ CompanyName: 'Hartwell Homes LLC', Country: 'US' });
  });

  test.each([
    ['a name that is taken', 'createVendor', { DisplayName: 'Pisgah Electric' }, '6240', 'ValidationFault'],
    ['a vendor without a name', 'createVendor', {}, '2020', 'ValidationFault'],
    ['a stale SyncToken', 'updateVendor', { Id: '45', SyncToken: '77' }, '5010', 'ValidationFault'],
    [
      'a vendor that is not there',
      'createBill',
      { ...newBill('X'), VendorRef: { value: '99999' } },
      '2500',
      'ValidationFault',
    ],
    [
      'an account that is not there',
      'createBill',
      {
        ...newBill('X'),
        Line: [
          {
            Amount: 1,
            DetailType: 'AccountBasedExpenseLineDetail',
            AccountBasedExpenseLineDetail: { AccountRef: { value: '9999' } },
          },
        ],
      },
      '2500',
      'ValidationFault',
    ],
    ['a bill without lines', 'createBill', { VendorRef: { value: '45' } }, '2020', 'ValidationFault'],
    ['a closed period', 'createBill', { ...newBill('X'), TxnDate: '2024-12-31' }, '6210', 'ValidationFault'],
    ['a bill that is not there', 'getBill', '424242', '610', 'ValidationFault'],
  ])('sees %s as a Fault with its code', async (_name, method, parameter, code, type) => {
    await expect(call(method, parameter)).rejects.toMatchObject({
      status: 400,
      Fault: { type, Error: [{ code, Message: expect.any(String), Detail: expect.any(String) }] },
    });
  });

  test('sees another company’s books as forbidden', async () => {
    const { clientId, clientSecret } = testClient;
    const other = new (QuickBooks as unknown as new (...parameters: unknown[]) => Books)(
      clientId,
      clientSecret,
      oauth.getToken().access_token,
      false,
      '4620816365213461010',
      true,
      false,
      null,
      '2.0',
      'refresh',
    );
    await expect(on(other, 'getCompanyInfo', '4620816365213461010')).rejects.toMatchObject({ status: 403 });
  });

  test('asks in the same words as our own connector', async () => {
    const catalog = await loadCatalog();
    const connector = catalog.connectors.get('quickbooks') as Connector;
    const connection = {
      id: 'c',
      baseUrl: server.origin,
      accessToken: oauth.getToken().access_token,
      account: { realmId: realm },
    };
    const http = connector.http({ connection, fetch, now: () => new Date() });
    const find = catalog.nodeTypes.get('quickbooks.find-vendor@1');
    await find?.run?.({
      input: { name: 'Pisgah Electric' } as never,
      connection,
      http,
      fetchPublic: fetch,
      idempotencyKey: 'k',
      now: () => new Date(),
      signal: AbortSignal.timeout(5_000),
    });
    const ours = server.requests.at(-1);
    await call('findVendors', [
      { field: 'DisplayName', value: ['Pisgah Electric', 'Pisgah Electric (deleted)'], operator: 'in' },
      { field: 'Active', value: [true, false], operator: 'in' },
      { field: 'limit', value: 10 },
    ]);
    const theirs = server.requests.at(-1);
    // Entities are written in either case.
    const normal = (text: string | null | undefined) =>
      text?.replace(/\s*,\s*/g, ',').replace('from vendor', 'from Vendor');
    expect(normal(ours?.url.searchParams.get('query'))).toBe(normal(theirs?.url.searchParams.get('query')));
    expect([ours?.method, ours?.url.pathname, ours?.url.searchParams.get('minorversion')]).toEqual([
      theirs?.method,
      theirs?.url.pathname,
      theirs?.url.searchParams.get('minorversion'),
    ]);
    expect(ours?.headers.get('authorization')).toBe(theirs?.headers.get('authorization'));
  });
});
