import { randomBytes } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { Faults, MinuteLimit, SandboxOAuth, type Sandbox, type SandboxOptions } from '../../sdk/index.ts';
import { workspacePage } from './sandbox-pages.ts';
import {
  addMessage,
  BOT,
  findChannel,
  newWorkspace,
  readMetadata,
  TEAM,
  type Channel,
  type WorkspaceState,
} from './sandbox-workspace.ts';

type Arguments = Readonly<Record<string, unknown>>;
interface Call {
  readonly c: Context;
  readonly input: Arguments;
  readonly token: string;
  readonly scope: string;
}

const TEXT_MAX = 40_000;
/** Requests a minute by method tier; posting is one a second and channel, with bursts. */
const TIERS = { 2: 20, 3: 50, 4: 100, post: 60 } as const;

/** A double of Slack's Web API: refusals as HTTP 200 with `ok: false`, scopes, cursors, metadata, membership. The README beside it says what it leaves out. */
export function createSlackSandbox(options: SandboxOptions): Sandbox {
  const { now, changed = () => undefined } = options;
  const faults = new Faults();
  let state: WorkspaceState = newWorkspace();
  const base = new URL(options.origin).pathname.replace(/\/$/, '');
  const oauth = new SandboxOAuth({ ...options, title: 'Slack', accounts: { [TEAM.id]: TEAM.name } });
  const app = new Hono().basePath(base || '/');
  const no = (c: Context, error: string, more: Arguments = {}): Response => c.json({ ok: false, error, ...more });

  app.get('/oauth/v2/authorize', (c) => oauth.consent(c));
  app.post('/oauth/v2/authorize', (c) => oauth.decide(c));
  app.post('/api/oauth.v2.access', async (c) => {
    const form = await c.req.parseBody();
    if (!oauth.authenticates(c.req.header('authorization'), form)) return no(c, 'bad_client_secret');
    const grant = oauth.redeem(form);
    if (!grant) return no(c, 'invalid_code');
    const token = `xoxb-${randomBytes(24).toString('base64url')}`;
    state.tokens[token] = { scope: grant.scope };
    changed();
    const { id, name } = TEAM;
    const install = {
      team: { id, name },
      enterprise: null,
      is_enterprise_install: false,
      authed_user: { id: 'U07DANA' },
    };
    return c.json({
      ok: true,
      app_id: BOT.app_id,
      bot_user_id: BOT.user,
      scope: grant.scope,
      token_type: 'bot',
      access_token: token,
      ...install,
    });
  });

  const method = (
    name: string,
    needed: string | undefined,
    perMinute: number,
    handle: (call: Call) => Response,
  ): void => {
    const limit = new MinuteLimit(perMinute, now);
    app.on(['GET', 'POST'], `/api/${name}`, async (c) => {
      c.header('x-slack-req-id', randomBytes(16).toString('hex'));
      const input = await argumentsOf(c);
      if (input === undefined) return no(c, 'invalid_json');
      const token = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? String(input['token'] ?? '');
      if (!token) return no(c, 'not_authed');
      const grant = state.tokens[token];
      if (!grant) return no(c, 'invalid_auth');
      const wait = options.enforceLimits ? limit.exceeded(String(input['channel'] ?? '')) : undefined;
      if (wait !== undefined) {
        c.header('Retry-After', String(wait));
        return c.json({ ok: false, error: 'ratelimited' }, 429);
      }
      if (needed && !hasScope(grant.scope, needed)) return no(c, 'missing_scope', { needed, provided: grant.scope });
      return handle({ c, input, token, scope: grant.scope });
    });
  };
  const inChannel =
    (handle: (call: Call, channel: Channel) => Response) =>
    (call: Call): Response => {
      const channel = findChannel(state, call.input['channel']);
      return channel ? handle(call, channel) : no(call.c, 'channel_not_found');
    };

  method('auth.test', undefined, TIERS[4], ({ c }) =>
    c.json({
      ok: true,
      url: `https://${TEAM.domain}.slack.com/`,
      team: TEAM.name,
      user: 'plumbline',
      team_id: TEAM.id,
      user_id: BOT.user,
      bot_id: BOT.bot_id,
      is_enterprise_install: false,
    }),
  );
  method('auth.revoke', undefined, TIERS[3], ({ c, token }) => {
    delete state.tokens[token];
    changed();
    return c.json({ ok: true, revoked: true });
  });
  method('team.info', 'team:read', TIERS[3], ({ c }) =>
    c.json({ ok: true, team: { ...TEAM, email_domain: '', icon: {} } }),
  );

  method('conversations.list', 'channels:read', TIERS[2], ({ c, input }) => {
    const all = state.channels.filter(
      ({ is_archived: isArchived }) => String(input['exclude_archived']) !== 'true' || !isArchived,
    );
    const page = pageOf(all, input, 1_000);
    return page
      ? c.json({ ok: true, channels: page.items.map(describe), response_metadata: { next_cursor: page.next } })
      : no(c, 'invalid_cursor');
  });
  method(
    'conversations.info',
    'channels:read',
    TIERS[3],
    inChannel(({ c }, channel) => c.json({ ok: true, channel: describe(channel) })),
  );
  method(
    'conversations.join',
    'channels:join',
    TIERS[3],
    inChannel(({ c }, channel) => {
      if (channel.is_archived) return no(c, 'is_archived');
      const already = channel.is_member;
      channel.is_member = true;
      changed();
      return c.json({ ok: true, channel: describe(channel), ...(already ? { warning: 'already_in_channel' } : {}) });
    }),
  );
  method(
    'conversations.history',
    'channels:history',
    TIERS[3],
    inChannel(({ c, input, scope }, channel) => {
      if (!channel.is_member) return no(c, 'not_in_channel');
      const oldest = Number(input['oldest'] ?? 0);
      const found = [...(state.messages[channel.id] ?? [])].reverse().filter(({ ts }) => Number(ts) > oldest);
      const page = pageOf(found, input, 999);
      if (!page) return no(c, 'invalid_cursor');
      const withMetadata = String(input['include_all_metadata']) === 'true' && hasScope(scope, 'metadata.message:read');
      const messages = page.items.map(({ metadata, ...message }) => ({
        ...message,
        ...(withMetadata && metadata ? { metadata } : {}),
      }));
      return c.json({
        ok: true,
        messages,
        has_more: page.next !== '',
        pin_count: 0,
        ...(page.next ? { response_metadata: { next_cursor: page.next } } : {}),
      });
    }),
  );
  method(
    'chat.postMessage',
    'chat:write',
    TIERS.post,
    inChannel(({ c, input, scope }, channel) => {
      if (channel.is_archived) return no(c, 'is_archived');
      if (!channel.is_member && !hasScope(scope, 'chat:write.public')) return no(c, 'not_in_channel');
      const text = typeof input['text'] === 'string' ? input['text'] : '';
      if (text === '' && !input['blocks'] && !input['attachments']) return no(c, 'no_text');
      const metadata = readMetadata(input['metadata']);
      if (metadata === 'invalid') return no(c, 'invalid_metadata_format');
      const message = addMessage(state, channel, { text: text.slice(0, TEXT_MAX), metadata, at: now() });
      changed();
      return c.json({ ok: true, channel: channel.id, ts: message.ts, message });
    }),
  );
  method(
    'chat.delete',
    'chat:write',
    TIERS[3],
    inChannel(({ c, input }, channel) => {
      const messages = state.messages[channel.id] ?? [];
      const index = messages.findIndex(({ ts }) => ts === String(input['ts']));
      if (index < 0) return no(c, 'message_not_found');
      messages.splice(index, 1);
      changed();
      return c.json({ ok: true, channel: channel.id, ts: String(input['ts']) });
    }),
  );
  app.on(['GET', 'POST'], '/api/:method', (c) => no(c, 'unknown_method', { req_method: c.req.param('method') }));

  app.get('/ui/:channel?', (c) => c.html(workspacePage({ base, state, channel: c.req.param('channel') })));

  return {
    fetch: (request) => faults.apply(request, (next) => app.fetch(next)),
    fail: (entry) => faults.add(entry),
    reset: () => {
      state = newWorkspace();
      faults.clear();
      changed();
    },
    snapshot: () => structuredClone(state),
    restore: (saved) => {
      state = structuredClone(saved as WorkspaceState);
    },
  };
}

/** Arguments come in the query, as a form or as JSON; undefined when they cannot be read. */
async function argumentsOf(c: Context): Promise<Arguments | undefined> {
  const type = c.req.header('content-type') ?? '';
  try {
    const body =
      c.req.method === 'GET' ? {} : type.includes('json') ? await c.req.json<Arguments>() : await c.req.parseBody();
    return { ...c.req.query(), ...body };
  } catch {
    return undefined;
  }
}

function hasScope(scope: string, wanted: string): boolean {
  return scope.split(/[ ,]/).includes(wanted);
}

/** One page of a list, and the cursor of the next, empty after the last; undefined when the cursor is none of ours. */
function pageOf<T>(
  all: readonly T[],
  input: Arguments,
  max: number,
): { readonly items: readonly T[]; readonly next: string } | undefined {
  const start = startOf(String(input['cursor'] ?? ''));
  if (start === undefined) return undefined;
  const limit = Math.min(Math.max(Math.trunc(Number(input['limit'] ?? 100)) || 100, 1), max);
  const end = start + limit;
  return { items: all.slice(start, end), next: end < all.length ? btoa(`next:${end}`) : '' };
}

function startOf(cursor: string): number | undefined {
  if (cursor === '') return 0;
  try {
    const place = /^next:(\d+)$/.exec(atob(cursor))?.[1];
    return place === undefined ? undefined : Number(place);
  } catch {
    return undefined;
  }
}

function describe({ id, name, topic, is_archived, is_member }: Channel) {
  const flags = {
    is_channel: true,
    is_group: false,
    is_im: false,
    is_private: false,
    is_archived,
    is_member,
    is_general: name === 'general',
  };
  const empty = { value: '', creator: '', last_set: 0 };
  return {
    id,
    name,
    name_normalized: name,
    ...flags,
    num_members: 12,
    created: 1_700_000_000,
    creator: 'U07DANA',
    topic: { ...empty, value: topic },
    purpose: empty,
  };
}
