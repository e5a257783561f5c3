import Bell from '@lucide/svelte/icons/bell';
import Braces from '@lucide/svelte/icons/braces';
import Building from '@lucide/svelte/icons/building';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import FilePenLine from '@lucide/svelte/icons/file-pen-line';
import Globe from '@lucide/svelte/icons/globe';
import Hand from '@lucide/svelte/icons/hand';
import Hourglass from '@lucide/svelte/icons/hourglass';
import Hash from '@lucide/svelte/icons/hash';
import ListTree from '@lucide/svelte/icons/list-tree';
import MessageSquare from '@lucide/svelte/icons/message-square';
import Reply from '@lucide/svelte/icons/reply';
import Receipt from '@lucide/svelte/icons/receipt';
import Plug from '@lucide/svelte/icons/plug';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';
import Rss from '@lucide/svelte/icons/rss';
import Search from '@lucide/svelte/icons/search';
import Signpost from '@lucide/svelte/icons/signpost';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import Split from '@lucide/svelte/icons/split';
import UserCheck from '@lucide/svelte/icons/user-check';
import UserPen from '@lucide/svelte/icons/user-pen';
import UserPlus from '@lucide/svelte/icons/user-plus';
import Webhook from '@lucide/svelte/icons/webhook';
import ArrowDownAZ from '@lucide/svelte/icons/arrow-down-a-z';
import CalendarDays from '@lucide/svelte/icons/calendar-days';
import CodeXml from '@lucide/svelte/icons/code-xml';
import CopyMinus from '@lucide/svelte/icons/copy-minus';
import Diff from '@lucide/svelte/icons/diff';
import FileBraces from '@lucide/svelte/icons/file-braces';
import FileSpreadsheet from '@lucide/svelte/icons/file-spreadsheet';
import FileText from '@lucide/svelte/icons/file-text';
import Group from '@lucide/svelte/icons/group';
import Layers from '@lucide/svelte/icons/layers';
import ListChecks from '@lucide/svelte/icons/list-checks';
import ListEnd from '@lucide/svelte/icons/list-end';
import ListFilter from '@lucide/svelte/icons/list-filter';
import Merge from '@lucide/svelte/icons/merge';
import Sheet from '@lucide/svelte/icons/sheet';
import Table2 from '@lucide/svelte/icons/table-2';
import TextCursorInput from '@lucide/svelte/icons/text-cursor-input';
import BellRing from '@lucide/svelte/icons/bell-ring';
import BriefcaseBusiness from '@lucide/svelte/icons/briefcase-business';
import CornerDownLeft from '@lucide/svelte/icons/corner-down-left';
import CornerUpLeft from '@lucide/svelte/icons/corner-up-left';
import LogOut from '@lucide/svelte/icons/log-out';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import Repeat from '@lucide/svelte/icons/repeat';
import Bookmark from '@lucide/svelte/icons/bookmark';
import BookmarkCheck from '@lucide/svelte/icons/bookmark-check';
import Gauge from '@lucide/svelte/icons/gauge';
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import TimerReset from '@lucide/svelte/icons/timer-reset';
import Workflow from '@lucide/svelte/icons/workflow';
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
  'bell-ring': BellRing,
  'briefcase-business': BriefcaseBusiness,
  'corner-down-left': CornerDownLeft,
  'corner-up-left': CornerUpLeft,
  'log-out': LogOut,
  'refresh-cw': RefreshCw,
  repeat: Repeat,
  bookmark: Bookmark,
  'bookmark-check': BookmarkCheck,
  gauge: Gauge,
  lock: Lock,
  'lock-open': LockOpen,
  'timer-reset': TimerReset,
  workflow: Workflow,
  'text-cursor-input': TextCursorInput,
  'table-2': Table2,
  sheet: Sheet,
  merge: Merge,
  'list-filter': ListFilter,
  'list-end': ListEnd,
  'list-checks': ListChecks,
  layers: Layers,
  group: Group,
  'file-text': FileText,
  'file-spreadsheet': FileSpreadsheet,
  'file-braces': FileBraces,
  diff: Diff,
  'copy-minus': CopyMinus,
  'code-xml': CodeXml,
  'calendar-days': CalendarDays,
  'arrow-down-a-z': ArrowDownAZ,
  bell: Bell,
  braces: Braces,
  building: Building,
  'calendar-clock': CalendarClock,
  'circle-stop': CircleStop,
  'file-pen-line': FilePenLine,
  globe: Globe,
  hand: Hand,
  hash: Hash,
  hourglass: Hourglass,
  'list-tree': ListTree,
  'message-square': MessageSquare,
  receipt: Receipt,
  reply: Reply,
  plug: Plug,
  'triangle-alert': TriangleAlert,
  rss: Rss,
  search: Search,
  signpost: Signpost,
  'shield-check': ShieldCheck,
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
