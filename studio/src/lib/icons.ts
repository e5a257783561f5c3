import Bell from '@lucide/svelte/icons/bell';
import Braces from '@lucide/svelte/icons/braces';
import Building from '@lucide/svelte/icons/building';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import FilePenLine from '@lucide/svelte/icons/file-pen-line';
import Globe from '@lucide/svelte/icons/globe';
import Hand from '@lucide/svelte/icons/hand';
import Hash from '@lucide/svelte/icons/hash';
import ListTree from '@lucide/svelte/icons/list-tree';
import MessageSquare from '@lucide/svelte/icons/message-square';
import Receipt from '@lucide/svelte/icons/receipt';
import Search from '@lucide/svelte/icons/search';
import Signpost from '@lucide/svelte/icons/signpost';
import Split from '@lucide/svelte/icons/split';
import UserCheck from '@lucide/svelte/icons/user-check';
import UserPen from '@lucide/svelte/icons/user-pen';
import UserPlus from '@lucide/svelte/icons/user-plus';
import Webhook from '@lucide/svelte/icons/webhook';
import type { Component } from 'svelte';

/** The part of a lucide icon's props the studio sets. */
export type Icon = Component<{
  size?: number | string;
  strokeWidth?: number | string;
  class?: string;
  'aria-hidden'?: boolean;
}>;

/** Icons that node types name; a bundle of all 1,600 would be larger than the studio. */
const byName: Readonly<Record<string, Icon>> = {
  bell: Bell,
  braces: Braces,
  building: Building,
  'calendar-clock': CalendarClock,
  'circle-stop': CircleStop,
  'file-pen-line': FilePenLine,
  globe: Globe,
  hand: Hand,
  hash: Hash,
  'list-tree': ListTree,
  'message-square': MessageSquare,
  receipt: Receipt,
  search: Search,
  signpost: Signpost,
  split: Split,
  'user-check': UserCheck,
  'user-pen': UserPen,
  'user-plus': UserPlus,
  webhook: Webhook,
};

/** The icon a node type names; a dashed circle when the studio does not carry it. */
export function iconOf(name: string | undefined): Icon {
  return (name && Object.hasOwn(byName, name) ? byName[name] : undefined) ?? CircleDashed;
}
