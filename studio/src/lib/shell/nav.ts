import Activity from '@lucide/svelte/icons/activity';
import HeartPulse from '@lucide/svelte/icons/heart-pulse';
import Hourglass from '@lucide/svelte/icons/hourglass';
import LayoutTemplate from '@lucide/svelte/icons/layout-template';
import Plug from '@lucide/svelte/icons/plug';
import TableProperties from '@lucide/svelte/icons/table-properties';
import Table2 from '@lucide/svelte/icons/table-2';
import UserCheck from '@lucide/svelte/icons/user-check';
import Workflow from '@lucide/svelte/icons/workflow';
import { links } from '../links.ts';
import type { Icon } from '../icons.ts';

/** A page of the rail and of the bar at the bottom of a phone. */
export interface NavPage {
  readonly title: string;
  readonly href: string;
  readonly icon: Icon;
  /** Pressed after `g`. */
  readonly key: string;
  /** Not in the bar of a phone, which holds six. */
  readonly deskOnly?: true;
}

/** The pages one goes to, in the order of the rail. */
export const navPages: readonly NavPage[] = [
  { title: 'Flows', href: links.flows(), icon: Workflow, key: 'f' },
  { title: 'Runs', href: links.runs(), icon: Activity, key: 'r' },
  { title: 'Tasks', href: links.tasks(), icon: UserCheck, key: 'a' },
  { title: 'Waiting', href: links.queue(), icon: Hourglass, key: 'w' },
  { title: 'Records', href: links.records(), icon: Table2, key: 'd' },
  { title: 'Templates', href: links.templates(), icon: LayoutTemplate, key: 't', deskOnly: true },
  { title: 'Value maps', href: links.valueMaps(), icon: TableProperties, key: 'm', deskOnly: true },
  { title: 'Connections', href: links.connections(), icon: Plug, key: 'c' },
];

/** Not a place to work at, so it stands apart, at the foot. */
export const healthPage: NavPage = { title: 'Health', href: links.health(), icon: HeartPulse, key: 'h' };

/** Every page that keys and the palette lead to. */
export const everyPage: readonly NavPage[] = [...navPages, healthPage];

/** Whether a page, or one under it, is shown. */
export function isCurrent(page: NavPage, pathname: string): boolean {
  return pathname === page.href || pathname.startsWith(`${page.href}/`);
}
