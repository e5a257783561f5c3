import Activity from '@lucide/svelte/icons/activity';
import LayoutTemplate from '@lucide/svelte/icons/layout-template';
import Plug from '@lucide/svelte/icons/plug';
import Table2 from '@lucide/svelte/icons/table-2';
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
}

/** The pages one goes to, in the order of the rail. */
export const navPages: readonly NavPage[] = [
  { title: 'Flows', href: links.flows(), icon: Workflow, key: 'f' },
  { title: 'Runs', href: links.runs(), icon: Activity, key: 'r' },
  { title: 'Records', href: links.records(), icon: Table2, key: 'd' },
  { title: 'Templates', href: links.templates(), icon: LayoutTemplate, key: 't' },
  { title: 'Connections', href: links.connections(), icon: Plug, key: 'c' },
];

/** Whether a page, or one under it, is shown. */
export function isCurrent(page: NavPage, pathname: string): boolean {
  return pathname === page.href || pathname.startsWith(`${page.href}/`);
}
