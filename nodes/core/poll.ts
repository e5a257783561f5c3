import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  atPath,
  checkHeaders,
  ConnectorFailure,
  defineTrigger,
  failureWithoutAnswer,
  isConnectorFailure,
  readCapped,
  refusalOfStatus,
  type PollContext,
  type PollResult,
} from '../sdk/index.ts';

const path = z
  .string()
  .max(200)
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'Write names with dots between them, such as data.items.');

const input = z.object({
  url: z
    .string()
    .min(1)
    .max(2_000)
    .meta({ title: 'Address', description: 'An https address that answers with a list.' }),
  idPath: path.default('id').meta({ title: 'Id of an item', description: 'What has a new id is new.' }),
  itemsPath: path.optional().meta({
    title: 'Where the list is',
    description: 'For example data.items. Leave it empty when the answer is the list.',
  }),
  everyMinutes: z.int().min(1).max(1_440).default(5).meta({ title: 'Every so many minutes' }),
  changePath: path.optional().meta({
    title: 'Changes with the item',
    description: 'For example updated_at: when it has another value, the item counts as new again.',
    advanced: true,
  }),
  cursorParameter: z
    .string()
    .regex(/^[\w.[\]-]{1,100}$/)
    .optional()
    .meta({
      title: 'Parameter for "since"',
      description: 'The address is asked with it for what came after the newest item.',
      advanced: true,
    }),
  cursorPath: path.optional().meta({
    title: 'Where an item says it',
    description: 'Its greatest value is sent as that parameter, for example updated_at.',
    advanced: true,
  }),
  headers: z.record(z.string(), z.string().max(8_000)).optional().meta({ title: 'Headers', advanced: true }),
});
type Config = z.infer<typeof input>;

const BODY_MAX_BYTES = 2 * 1024 * 1024;
const ITEMS_MAX = 1_000;

/**
 * Asks an address for a list and starts for every item that was not there before. The first time nothing starts: what is there then is old. Addresses are
 * looked at as in "Call a web address": no private one is reached.
 *
 * Errors: `url_forbidden`, `header_forbidden`, `list_missing`, `list_too_long`, `id_missing`.
 */
export const node = defineTrigger({
  id: 'core.poll',
  title: 'Something new at a web address',
  description: 'Asks an address every few minutes and starts for each new item of its list.',
  category: 'Triggers',
  icon: 'rss',
  input,
  output: z.object({ item: z.unknown() }),
  subscription: {
    kind: 'poll',
    everySeconds: (config) => Number(config['everyMinutes'] ?? 5) * 60,
    // How often, and with what headers, does not change what is read.
    identity: ({ url, itemsPath, idPath, changePath, cursorParameter, cursorPath }) => [
      url,
      itemsPath,
      idPath,
      changePath,
      cursorParameter,
      cursorPath,
    ],
    poll: pollList,
  },
});

async function pollList(context: PollContext): Promise<PollResult> {
  const config = context.config as Config;
  const since = context.cursor?.['since'];
  const items = await readList(context, config, typeof since === 'string' ? since : undefined);
  let newest = typeof since === 'string' ? since : undefined;
  const events = items.map((item) => {
    const at = config.cursorPath ? textAt(item, config.cursorPath) : undefined;
    if (at !== undefined && (newest === undefined || isLater(at, newest))) newest = at;
    return { dedupeKey: keyOf(item, config), data: { item } };
  });
  return { events, cursor: newest === undefined ? {} : { since: newest } };
}

async function readList(context: PollContext, config: Config, since: string | undefined): Promise<readonly unknown[]> {
  const { fetchPublic, signal, now } = context;
  const { headers: given = {}, itemsPath = '', cursorParameter } = config;
  checkHeaders(given);
  const title = URL.canParse(config.url) ? new URL(config.url).host : 'The address';
  let url = config.url;
  if (cursorParameter && since !== undefined && URL.canParse(url)) {
    const asked = new URL(url);
    asked.searchParams.set(cursorParameter, since);
    url = asked.href;
  }
  let response: Response;
  let text: string;
  try {
    response = await fetchPublic(url, { headers: { Accept: 'application/json', ...given }, signal });
    text = await readCapped(response, BODY_MAX_BYTES);
  } catch (cause) {
    if (isConnectorFailure(cause)) throw cause;
    throw failureWithoutAnswer({
      title,
      request: { method: 'GET', path: URL.canParse(url) ? new URL(url).pathname : '' },
      mutating: false,
      cause,
    });
  }
  const refusal = refusalOfStatus(response.status, response.headers, false, now());
  if (refusal)
    throw new ConnectorFailure({
      ...refusal,
      // There is no account to reconnect: what was refused stands in the trigger's own headers.
      kind: refusal.kind === 'reauthorize' ? 'forbidden' : refusal.kind,
      status: response.status,
      message: `${title} answered with ${response.status}. Look at what it says, and correct the trigger.`,
      vendorMessage: text.slice(0, 300),
    });
  const list = atPath(parse(text), itemsPath);
  if (!Array.isArray(list))
    throw wrong(
      'list_missing',
      `${title} answered, but there is no list ${itemsPath === '' ? 'in its answer' : `at "${itemsPath}"`}. Correct "Where the list is".`,
    );
  if (list.length > ITEMS_MAX)
    throw wrong(
      'list_too_long',
      `${title} answered with ${list.length} items, and at most ${ITEMS_MAX} are read. Ask for fewer, for example with a limit in the address.`,
    );
  return list;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function keyOf(item: unknown, { idPath, changePath }: Config): string {
  const id = textAt(item, idPath);
  if (id === undefined) throw wrong('id_missing', `An item of the list has no "${idPath}". Correct "Id of an item".`);
  const key = changePath ? `${id} ${textAt(item, changePath) ?? ''}` : id;
  return key.length <= 200 ? key : createHash('sha256').update(key).digest('hex');
}

function textAt(item: unknown, where: string): string | undefined {
  const value = atPath(item, where);
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined;
}

/** Numbers as numbers, anything else, such as times, as text. */
function isLater(left: string, right: string): boolean {
  const numeric = /^-?\d+(\.\d+)?$/;
  return numeric.test(left) && numeric.test(right) ? Number(left) > Number(right) : left > right;
}

function wrong(code: string, message: string): ConnectorFailure {
  return new ConnectorFailure({ kind: 'contract', code, message });
}
