import Ban from '@lucide/svelte/icons/ban';
import CircleAlert from '@lucide/svelte/icons/circle-alert';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CirclePause from '@lucide/svelte/icons/circle-pause';
import CircleX from '@lucide/svelte/icons/circle-x';
import Clock from '@lucide/svelte/icons/clock';
import Hand from '@lucide/svelte/icons/hand';
import KeyRound from '@lucide/svelte/icons/key-round';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import PencilRuler from '@lucide/svelte/icons/pencil-ruler';
import Power from '@lucide/svelte/icons/power';
import SkipForward from '@lucide/svelte/icons/skip-forward';
import Unplug from '@lucide/svelte/icons/unplug';
import type { Icon } from '../icons.ts';
import { words } from '../format.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'idle';

/** How a state is drawn: never by colour alone. */
export interface StatusLook {
  readonly label: string;
  readonly tone: Tone;
  readonly icon: Icon;
  /** Turns while it lasts. */
  readonly turning?: boolean;
}

const looks: Readonly<Record<string, StatusLook>> = {
  // runs and steps
  queued: { label: 'Queued', tone: 'idle', icon: CircleDashed },
  running: { label: 'Running', tone: 'busy', icon: LoaderCircle, turning: true },
  waiting: { label: 'Waiting', tone: 'warn', icon: Clock },
  parked: { label: 'Needs you', tone: 'warn', icon: Hand },
  succeeded: { label: 'Done', tone: 'ok', icon: CircleCheck },
  failed: { label: 'Failed', tone: 'bad', icon: CircleX },
  cancelled: { label: 'Cancelled', tone: 'idle', icon: Ban },
  skipped: { label: 'Skipped', tone: 'idle', icon: SkipForward },
  // flows
  draft: { label: 'Draft', tone: 'idle', icon: PencilRuler },
  on: { label: 'On', tone: 'ok', icon: Power },
  off: { label: 'Off', tone: 'idle', icon: Power },
  // connections
  connected: { label: 'Connected', tone: 'ok', icon: CircleCheck },
  degraded: { label: 'Having trouble', tone: 'warn', icon: CircleAlert },
  needs_reconnect: { label: 'Reconnect', tone: 'bad', icon: KeyRound },
  paused: { label: 'Paused', tone: 'idle', icon: CirclePause },
  disconnected: { label: 'Disconnected', tone: 'idle', icon: Unplug },
  // records
  submitted: { label: 'Submitted', tone: 'warn', icon: Clock },
  approved: { label: 'Approved', tone: 'ok', icon: CircleCheck },
  rejected: { label: 'Rejected', tone: 'bad', icon: CircleX },
  paid: { label: 'Paid', tone: 'ok', icon: CircleCheck },
  // approvals
  open: { label: 'Waits for a decision', tone: 'warn', icon: Clock },
  decided: { label: 'Decided', tone: 'ok', icon: CircleCheck },
  expired: { label: 'Time is up', tone: 'bad', icon: CircleAlert },
  withdrawn: { label: 'No longer asked', tone: 'idle', icon: Ban },
  active: { label: 'Active', tone: 'ok', icon: CircleCheck },
};

/** The look of a state; unknown states keep their own word. */
export function statusLook(status: string): StatusLook {
  return (Object.hasOwn(looks, status) && looks[status]) || { label: words(status), tone: 'idle', icon: CircleDashed };
}
