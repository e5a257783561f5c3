/** Everything that can be done in the editor by keyboard. */
export type EditorAction =
  | 'undo'
  | 'redo'
  | 'save'
  | 'publish'
  | 'palette'
  | 'delete'
  | 'rename'
  | 'toggle'
  | 'moveIn'
  | 'moveOut'
  | 'fold'
  | 'pin'
  | 'test'
  | 'duplicate'
  | 'selectAll'
  | 'open'
  | 'close'
  | 'fit'
  | 'fitSelection'
  | 'zoomIn'
  | 'zoomOut'
  | 'zoomReset'
  | 'tidy'
  | 'problems'
  | 'outline'
  | 'help'
  | 'selectUp'
  | 'selectDown'
  | 'selectLeft'
  | 'selectRight'
  | 'moveUp'
  | 'moveDown'
  | 'moveLeft'
  | 'moveRight';

export interface Shortcut {
  readonly action: EditorAction;
  /** `mod` is Ctrl, or Command on a Mac; names as in `KeyboardEvent.key`, lower case. */
  readonly keys: readonly string[];
  readonly title: string;
  readonly group: 'Edit' | 'Steps' | 'Move about' | 'Flow';
  /** Works while typing, too. */
  readonly whileTyping?: boolean;
  /** Only while the canvas or a step has the focus: the key means something else elsewhere on the page. */
  readonly onCanvas?: boolean;
}

/** The one table of keys: the handler reads it, and so does the sheet behind `?`. Copy, cut and paste follow the browser's own events. */
export const shortcuts: readonly Shortcut[] = [
  { action: 'palette', keys: ['tab', '/'], title: 'Add a step', group: 'Steps', onCanvas: true },
  { action: 'open', keys: ['enter'], title: 'Open the step', group: 'Steps', onCanvas: true },
  { action: 'close', keys: ['escape'], title: 'Close, step back', group: 'Steps', whileTyping: true },
  { action: 'rename', keys: ['f2'], title: 'Rename the step', group: 'Steps' },
  { action: 'toggle', keys: ['d'], title: 'Switch the step off or on', group: 'Steps' },
  { action: 'moveIn', keys: [']'], title: 'Move into a loop or scope', group: 'Steps', onCanvas: true },
  { action: 'moveOut', keys: ['['], title: 'Move out of the loop or scope', group: 'Steps', onCanvas: true },
  { action: 'fold', keys: ['c'], title: 'Close or open the loop or scope', group: 'Steps', onCanvas: true },
  { action: 'pin', keys: ['p'], title: 'Pin what the step gave, or unpin it', group: 'Steps' },
  { action: 'test', keys: ['mod+enter'], title: 'Test the step, or the flow', group: 'Flow', whileTyping: true },
  { action: 'duplicate', keys: ['mod+d'], title: 'Duplicate', group: 'Steps' },
  { action: 'delete', keys: ['delete', 'backspace'], title: 'Delete', group: 'Steps', onCanvas: true },
  { action: 'undo', keys: ['mod+z'], title: 'Undo', group: 'Edit' },
  { action: 'redo', keys: ['mod+shift+z', 'mod+y'], title: 'Redo', group: 'Edit' },
  { action: 'selectAll', keys: ['mod+a'], title: 'Select all', group: 'Edit', onCanvas: true },
  { action: 'save', keys: ['mod+s'], title: 'Save now', group: 'Flow', whileTyping: true },
  { action: 'publish', keys: ['mod+shift+p'], title: 'Publish', group: 'Flow', whileTyping: true },
  { action: 'problems', keys: ['shift+m'], title: 'Problems', group: 'Flow' },
  { action: 'outline', keys: ['shift+o'], title: 'Canvas or outline', group: 'Flow' },
  { action: 'help', keys: ['?'], title: 'Keyboard shortcuts', group: 'Flow' },
  { action: 'selectUp', keys: ['arrowup'], title: 'Step before', group: 'Move about', onCanvas: true },
  { action: 'selectDown', keys: ['arrowdown'], title: 'Step after', group: 'Move about', onCanvas: true },
  { action: 'selectLeft', keys: ['arrowleft'], title: 'Step to the left', group: 'Move about', onCanvas: true },
  { action: 'selectRight', keys: ['arrowright'], title: 'Step to the right', group: 'Move about', onCanvas: true },
  { action: 'moveUp', keys: ['alt+arrowup'], title: 'Move up', group: 'Move about', onCanvas: true },
  { action: 'moveDown', keys: ['alt+arrowdown'], title: 'Move down', group: 'Move about', onCanvas: true },
  { action: 'moveLeft', keys: ['alt+arrowleft'], title: 'Move left', group: 'Move about', onCanvas: true },
  { action: 'moveRight', keys: ['alt+arrowright'], title: 'Move right', group: 'Move about', onCanvas: true },
  { action: 'fit', keys: ['1'], title: 'Fit the flow', group: 'Move about' },
  { action: 'fitSelection', keys: ['2'], title: 'Fit the selection', group: 'Move about' },
  { action: 'zoomReset', keys: ['0'], title: 'Actual size', group: 'Move about' },
  { action: 'zoomIn', keys: ['+', '='], title: 'Closer', group: 'Move about' },
  { action: 'zoomOut', keys: ['-'], title: 'Farther', group: 'Move about' },
  { action: 'tidy', keys: ['shift+a'], title: 'Tidy the drawing', group: 'Move about' },
];

/** The part of a keyboard event that decides. */
export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** What a key press means, if anything. Single keys mean nothing while typing. */
export function actionFor(
  pressed: Pressed,
  where: { readonly typing: boolean; readonly onCanvas: boolean },
): EditorAction | undefined {
  const found = shortcuts.find((shortcut) => shortcut.keys.some((keys) => matches(keys, pressed)));
  if (!found || (where.typing && !found.whileTyping) || (found.onCanvas && !where.onCanvas)) return undefined;
  return found.action;
}

function matches(keys: string, pressed: Pressed): boolean {
  const parts = keys.split('+');
  // "+" itself splits into two empty parts.
  const key = keys.endsWith('+') ? '+' : (parts.at(-1) ?? '');
  const wants = (modifier: string) => parts.slice(0, -1).includes(modifier);
  if (pressed.key.toLowerCase() !== key) return false;
  if (wants('mod') !== (pressed.ctrlKey || pressed.metaKey) || wants('alt') !== pressed.altKey) return false;
  // A sign such as "?" needs shift on some keyboards and not on others.
  return /^[^a-z0-9]$/.test(key) || wants('shift') === pressed.shiftKey;
}

/** Keys as people read them: `mod+shift+z` is `Ctrl ⇧ Z`. */
export function keyNames(keys: string, mac: boolean): readonly string[] {
  const names: Readonly<Record<string, string>> = {
    mod: mac ? '⌘' : 'Ctrl',
    shift: '⇧',
    alt: mac ? '⌥' : 'Alt',
    arrowup: '↑',
    arrowdown: '↓',
    arrowleft: '←',
    arrowright: '→',
    escape: 'Esc',
    enter: 'Enter',
    delete: 'Del',
    backspace: 'Backspace',
    tab: 'Tab',
    f2: 'F2',
  };
  return (keys.endsWith('+') ? ['+'] : keys.split('+')).map((part) => names[part] ?? part.toUpperCase());
}

/** Whether keys pressed there are text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) ||
    target.closest('[role="combobox"],[role="listbox"],[role="menu"],.cm-editor') !== null
  );
}
