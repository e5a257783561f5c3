import { randomBytes } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { Faults, MinuteLimit, SandboxOAuth, type Sandbox, type SandboxOptions } from '../../sdk/index.ts';
import {
  deleteRow,
  entityNames,
  newBooks,
  Rejected,
  writeRow,
  type BooksState,
  type EntityName,
} from './sandbox-books.ts';
import { booksPage } from './sandbox-pages.ts';
import { parseQuery, runQuery } from './sandbox-query.ts';
import { companies } from './sandbox-seed.ts';
import { grantOf, issueTokens, refreshTokens, revokeToken, type TokenState } from './sandbox-tokens.ts';

interface State extends TokenState {
  readonly books: Record<string, BooksState>;
}

const REQUESTS_PER_MINUTE = 500;
/** Change data capture looks back so far. */
const CDC_DAYS = 30;
const CDC_MAX_ROWS = 1_000;

/**
 * A double of QuickBooks Online: consent, tokens that end and roll, SyncTokens, one name space, `requestid` replay, the query language, Faults.
 * What it leaves out or could not verify is in the README beside it.
 */
export function createQuickBooksSandbox(options: SandboxOptions): Sandbox {
  const { now, changed = () => undefined } = options;
  const faults = new Faults();
  let state = seeded(now());
  let limit = new MinuteLimit(REQUESTS_PER_MINUTE, now);
  const base = new URL(options.origin).pathname.replace(/\/$/, '');
  const oauth = new SandboxOAuth({
    ...options,
    title: 'QuickBooks Online',
    accounts: companies,
    callbackParameters: (realmId) => ({ realmId }),
  });
  const dated = (body: Record<string, unknown>) => ({ ...body, time: now().toISOString() });
  const fault = (c: Context, refused: Refused): Response => {
    const { status = 400, type = 'ValidationFault', code, message, detail, element } = refused;
    const error = { Message: message, Detail: detail, code, ...(element ? { element } : {}) };
    return c.json(dated({ Fault: { Error: [error], type } }), status);
  };

  const app = new Hono().basePath(base || '/');

  app.get('/connect/oauth2', (c) => oauth.consent(c));
  app.post('/connect/oauth2', (c) => oauth.decide(c));
  app.post('/oauth2/v1/tokens/bearer', async (c) => {
    const form = await c.req.parseBody();
    if (!oauth.authenticates(c.req.header('authorization'), form)) return c.json({ error: 'invalid_client' }, 401);
    const type = form['grant_type'];
    if (type !== 'authorization_code' && type !== 'refresh_token')
      return c.json({ error: 'unsupported_grant_type' }, 400);
    const grant = type === 'authorization_code' ? oauth.redeem(form) : undefined;
    const answer = grant
      ? issueTokens(state, { realm: grant.account, scope: grant.scope }, now())
      : type === 'refresh_token' && refreshTokens(state, String(form['refresh_token'] ?? ''), now());
    if (!answer) return c.json({ error: 'invalid_grant', error_description: 'Incorrect or invalid token' }, 400);
    changed();
    return c.json(answer);
  });
  app.post('/v2/oauth2/tokens/revoke', async (c) => {
    const isJson = c.req.header('content-type')?.includes('json');
    const body = (isJson ? await c.req.json() : await c.req.parseBody()) as Record<string, unknown>;
    if (!oauth.authenticates(c.req.header('authorization'), body)) return c.json({ error: 'invalid_client' }, 401);
    if (!revokeToken(state, String(body['token'] ?? ''))) return c.json({ error: 'invalid_request' }, 400);
    changed();
    return c.body(null, 200);
  });

  app.use('/v3/company/:realm/*', async (c, next) => {
    c.header('intuit_tid', `1-${randomBytes(12).toString('hex')}`);
    const token = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    const grant = grantOf(state, token, now());
    if (!grant)
      return fault(c, {
        status: 401,
        type: 'AuthenticationFault',
        code: '3200',
        message: 'message=AuthenticationFailed; errorCode=003200; statusCode=401',
        detail: 'Token expired or revoked',
      });
    const realm = c.req.param('realm');
    if (grant.realm !== realm)
      return fault(c, {
        status: 403,
        type: 'AuthorizationFault',
        code: '3100',
        message: 'message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403',
        detail: 'The token is for another company',
      });
    const wait = options.enforceLimits ? limit.exceeded(realm) : undefined;
    if (wait !== undefined) {
      c.header('Retry-After', String(wait));
      return fault(c, {
        status: 429,
        type: 'ThrottleExceeded',
        code: '003001',
        message: 'message=ThrottleExceeded; errorCode=003001; statusCode=429',
        detail: 'The request limit was reached',
      });
    }
    return await next();
  });
  const booksOf = (c: Context): BooksState => (state.books[c.req.param('realm') ?? ''] ??= newBooks(now()));

  app.on(['GET', 'POST'], '/v3/company/:realm/query', async (c) => {
    const text = c.req.query('query') ?? (await c.req.text());
    const query = parseQuery(text);
    const name = query && entityNames[query.entity.toLowerCase() as keyof typeof entityNames];
    if (!query || !name)
      return fault(c, {
        code: '4000',
        message: 'Error parsing query',
        detail: `QueryParserError: ${text.slice(0, 200)}`,
      });
    const found = runQuery(query, booksOf(c).entities[name]);
    if (query.count) return c.json(dated({ QueryResponse: { totalCount: found.length } }));
    const page = found.slice(query.start - 1, query.start - 1 + query.max);
    const paging = { startPosition: query.start, maxResults: page.length };
    return c.json(dated({ QueryResponse: page.length === 0 ? {} : { [name]: page, ...paging } }));
  });

  app.get('/v3/company/:realm/companyinfo/:id', (c) => {
    const CompanyName = companies[c.req.param('realm')] ?? '';
    const facts = { CompanyName, LegalName: CompanyName, Country: 'US', FiscalYearStartMonth: 'January' };
    return c.json(dated({ CompanyInfo: { ...facts, Id: '1', SyncToken: '4', domain: 'QBO', sparse: false } }));
  });

  app.get('/v3/company/:realm/cdc', (c) => {
    const since = Date.parse(c.req.query('changedSince') ?? '');
    const names = (c.req.query('entities') ?? '')
      .split(',')
      .map((name) => entityNames[name.trim().toLowerCase() as keyof typeof entityNames]);
    if (Number.isNaN(since) || names.includes(undefined as never))
      return fault(c, {
        code: '4000',
        message: 'Invalid CDC request',
        detail: 'entities and changedSince are required',
      });
    if (now().getTime() - since > CDC_DAYS * 86_400_000)
      return fault(c, {
        code: '4000',
        message: 'Invalid changedSince',
        detail: `changedSince is more than ${CDC_DAYS} days ago`,
      });
    const { entities, deleted } = booksOf(c);
    const responses = names.map((name) => {
      const rows = [
        ...entities[name],
        ...deleted.filter(({ entity }) => entity === name).map(({ entity: _, ...stub }) => stub),
      ];
      const recent = rows
        .filter((row) => Date.parse((row['MetaData'] as { LastUpdatedTime: string }).LastUpdatedTime) >= since)
        .slice(0, CDC_MAX_ROWS);
      return recent.length === 0 ? {} : { [name]: recent, startPosition: 1, maxResults: recent.length };
    });
    return c.json(dated({ CDCResponse: [{ QueryResponse: responses }] }));
  });

  app.get('/v3/company/:realm/:entity/:id', (c) => {
    const name = entityNames[c.req.param('entity') as keyof typeof entityNames] as EntityName | undefined;
    const row = name && booksOf(c).entities[name].find(({ Id }) => Id === c.req.param('id'));
    if (row) return c.json(dated({ [name]: row }));
    return fault(c, {
      code: '610',
      message: 'Object Not Found',
      detail: 'Object Not Found : Something you’re trying to use has been made inactive.',
    });
  });

  app.post('/v3/company/:realm/:entity', async (c) => {
    const name = entityNames[c.req.param('entity') as keyof typeof entityNames] as EntityName | undefined;
    const body = (await c.req.json().catch(() => undefined)) as Record<string, unknown> | undefined;
    if (!name || typeof body !== 'object' || body === null)
      return fault(c, {
        code: '2010',
        message: 'Request has invalid or unsupported property',
        detail: 'The body cannot be read',
      });
    const books = booksOf(c);
    const requestId = c.req.query('requestid');
    if (requestId && requestId.length > 50)
      return fault(c, { code: '2050', message: 'Invalid String', detail: 'requestid is longer than 50 characters' });
    const earlier = requestId && books.requests[requestId];
    if (earlier) return c.json(earlier as Record<string, unknown>);
    const operation = c.req.query('operation') === 'delete' ? deleteRow : writeRow;
    try {
      const answer = dated({ [name]: operation(books, name, body, now()) });
      if (requestId) books.requests[requestId] = answer;
      changed();
      return c.json(answer);
    } catch (error) {
      if (error instanceof Rejected)
        return fault(c, { code: error.code, message: error.message, detail: error.detail, element: error.element });
      throw error;
    }
  });

  app.get('/ui/:view?', (c) => {
    const realm = c.req.query('company') ?? Object.keys(companies)[0] ?? '';
    const company = companies[realm];
    const books = state.books[realm];
    if (!company || !books) return c.notFound();
    return c.html(booksPage({ base, company, books, view: c.req.param('view') === 'vendors' ? 'vendors' : 'bills' }));
  });

  return {
    fetch: (request) => faults.apply(request, (next) => app.fetch(next)),
    fail: (entry) => faults.add(entry),
    reset: () => {
      state = seeded(now());
      limit = new MinuteLimit(REQUESTS_PER_MINUTE, now);
      faults.clear();
      changed();
    },
    snapshot: () => structuredClone(state),
    restore: (saved) => {
      state = structuredClone(saved as State);
    },
  };
}

interface Refused {
  readonly status?: 400 | 401 | 403 | 429;
  readonly type?: string;
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly element?: string | undefined;
}

function seeded(now: Date): State {
  const books = Object.fromEntries(Object.keys(companies).map((realm) => [realm, newBooks(now)]));
  return { access: {}, refresh: {}, books };
}
