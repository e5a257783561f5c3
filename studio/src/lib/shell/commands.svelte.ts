import { SvelteMap } from 'svelte/reactivity';
import type { Icon } from '../icons.ts';

/** Something the command palette can do. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** Heading it stands under. */
  readonly group: string;
  readonly icon?: Icon;
  /** Keys that do the same, as shown. */
  readonly keys?: string;
  /** Other words people may type. */
  readonly words?: readonly string[];
  readonly act: () => void;
}

/** A line of the shortcut sheet. */
export interface Shortcut {
  readonly keys: string;
  readonly text: string;
  readonly group: string;
}

const commandSets = new SvelteMap<string, readonly Command[]>();
const shortcutSets = new SvelteMap<string, readonly Shortcut[]>();

/** Adds a page's commands to the palette while it is shown. @returns what takes them out */
export function offerCommands(owner: string, commands: readonly Command[]): () => void {
  commandSets.set(owner, commands);
  return () => void commandSets.delete(owner);
}

/** Adds a page's shortcuts to the sheet while it is shown. @returns what takes them out */
export function offerShortcuts(owner: string, shortcuts: readonly Shortcut[]): () => void {
  shortcutSets.set(owner, shortcuts);
  return () => void shortcutSets.delete(owner);
}

/** Commands on offer now. */
export function offeredCommands(): readonly Command[] {
  return [...commandSets.values()].flat();
}

/** Shortcuts that work now. */
export function offeredShortcuts(): readonly Shortcut[] {
  return [...shortcutSets.values()].flat();
}
