import { goto } from '$app/navigation';
import { links } from '../links.ts';
import { everyPage } from './nav.ts';
import type { Shortcut } from './commands.svelte.ts';
import { shell } from './shell.svelte.ts';

/** `⌘` on Apple's keyboards, `Ctrl` on all others. */
export const modKey = /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘' : 'Ctrl';

const GO_MS = 1_200;
let goUntil = 0;

/** Shortcuts that work on every page. */
export const globalShortcuts: readonly Shortcut[] = [
  { group: 'Anywhere', keys: `${modKey} K`, text: 'Find a page, a flow or something to do' },
  { group: 'Anywhere', keys: '?', text: 'Show these shortcuts' },
  { group: 'Anywhere', keys: '[', text: 'Fold or unfold the rail' },
  ...everyPage.map((page) => ({ group: 'Go to', keys: `g ${page.key}`, text: page.title })),
  { group: 'Go to', keys: 'g n', text: 'Notifications' },
  { group: 'Lists', keys: 'j', text: 'Next row' },
  { group: 'Lists', keys: 'k', text: 'Previous row' },
  { group: 'Lists', keys: 'Enter', text: 'Open the row' },
  { group: 'Lists', keys: '/', text: 'Search the list' },
];

/** Whether keys go into a field; single keys mean letters there. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

/** Acts on a key pressed anywhere; the pages' own handlers come first and may prevent it. */
export function onGlobalKey(event: KeyboardEvent): void {
  if (event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    shell.paletteOpen = !shell.paletteOpen;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  // A dialog or menu owns the keyboard while it is open.
  if (document.querySelector('[role="dialog"], [role="menu"], [role="alertdialog"]')) return;
  if (act(event.key)) event.preventDefault();
}

function act(key: string): boolean {
  if (Date.now() < goUntil) {
    goUntil = 0;
    const href = key === 'n' ? links.notifications() : everyPage.find((page) => page.key === key)?.href;
    if (href) void goto(href);
    return href !== undefined;
  }
  switch (key) {
    case 'g':
      goUntil = Date.now() + GO_MS;
      return true;
    case '?':
      shell.shortcutsOpen = true;
      return true;
    case '[':
      shell.toggleRail();
      return true;
    case 'j':
      return stepRow(1);
    case 'k':
      return stepRow(-1);
    case '/':
      return focusSearch();
    default:
      return false;
  }
}

/** Moves the focus along the links marked `data-row`. */
function stepRow(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')].filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return false;
  const here = rows.findIndex((row) => row === document.activeElement);
  const next = here === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1);
  rows[next]?.focus();
  return true;
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
  field?.focus();
  return field !== null;
}
