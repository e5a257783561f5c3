/** A message as Slack keeps it. */
export interface Message {
  readonly type: 'message';
  readonly user: string;
  readonly bot_id: string;
  readonly app_id: string;
  readonly team: string;
  readonly text: string;
  /** Seconds with six places; unique in its channel, and its id there. */
  readonly ts: string;
  readonly metadata?: Metadata;
}

export interface Metadata {
  readonly event_type: string;
  readonly event_payload: Readonly<Record<string, unknown>>;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly is_archived: boolean;
  /** Whether our app's bot is in it. */
  is_member: boolean;
}

/** A workspace, JSON-able. */
export interface WorkspaceState {
  tokens: Record<string, { readonly scope: string }>;
  readonly channels: Channel[];
  /** Oldest first, by channel id. */
  readonly messages: Record<string, Message[]>;
  /** Microseconds of the youngest message. */
  lastTs: number;
}

export const TEAM = { id: 'T07HARTWELL', name: 'Hartwell Homes', domain: 'hartwell-homes' } as const;
export const BOT = { user: 'U07PLUMB', bot_id: 'B07PLUMB', app_id: 'A07PLUMB' } as const;

const channels: readonly (readonly [name: string, topic: string])[] = [
  ['accounts-payable', 'Bills in and out'],
  ['general', 'Everyone'],
  ['job-sites', 'Superintendents'],
  ['large-invoices', 'Everything over 10,000'],
  ['schedule', 'What slips and what does not'],
  ['warranty', 'After the keys'],
];

/** The workspace of a home builder; ids count up from C07000001. The last channel is archived. */
export function newWorkspace(): WorkspaceState {
  const all = [...channels, ['parade-of-homes-2024', 'Over'] as const];
  return {
    tokens: {},
    channels: all.map(([name, topic], index) => ({
      id: `C07${String(index + 1).padStart(6, '0')}`,
      name,
      topic,
      is_archived: index === all.length - 1,
      is_member: name === 'general',
    })),
    messages: {},
    lastTs: 0,
  };
}

export function findChannel(state: WorkspaceState, value: unknown): Channel | undefined {
  return state.channels.find(({ id, name }) => value === id || value === name || value === `#${name}`);
}

/** Adds a message; its timestamp is later than every one before, however fast they come. */
export function addMessage(
  state: WorkspaceState,
  channel: Channel,
  content: { readonly text: string; readonly metadata?: Metadata | undefined; readonly at: Date },
): Message {
  state.lastTs = Math.max(state.lastTs + 1, content.at.getTime() * 1_000);
  const ts = `${Math.floor(state.lastTs / 1_000_000)}.${String(state.lastTs % 1_000_000).padStart(6, '0')}`;
  const { text, metadata } = content;
  const message: Message = { type: 'message', ...BOT, team: TEAM.id, text, ts, ...(metadata ? { metadata } : {}) };
  (state.messages[channel.id] ??= []).push(message);
  return message;
}

/** `undefined` when there is none, `invalid` when it is not as documented. */
export function readMetadata(value: unknown): Metadata | 'invalid' | undefined {
  if (value === undefined || value === '') return undefined;
  let metadata: unknown = value;
  if (typeof value === 'string') {
    try {
      metadata = JSON.parse(value);
    } catch {
      return 'invalid';
    }
  }
  if (typeof metadata !== 'object' || metadata === null) return 'invalid';
  const { event_type: type, event_payload: payload } = metadata as Partial<Metadata>;
  return typeof type === 'string' && typeof payload === 'object' && payload !== null
    ? { event_type: type, event_payload: payload }
    : 'invalid';
}
