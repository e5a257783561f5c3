import { LOOP_PORT } from '@plumbline/workflows/flow';
import type { Editor } from '../editor.svelte.ts';
import { copyNodes } from '../document/clipboard.ts';
import { neighbour, type Direction } from '../document/reading-order.ts';
import { actionFor, isTyping, type EditorAction } from './shortcuts.ts';

/** What keys need beyond the editor itself. */
export interface KeyboardParts {
  readonly editor: Editor;
  readonly canvas: () => HTMLElement | undefined;
  /** The last press of the pointer was on the canvas: the hand draws, and does not walk along the page by keyboard. */
  readonly drawing: () => boolean;
  readonly publish: () => void;
  readonly test: () => void;
  readonly pin: (nodeId: string) => void;
  readonly help: () => void;
  readonly rename: () => void;
  readonly toggleProblems: () => void;
  readonly toggleOutline: () => void;
  /** Closes the topmost thing that is open. @returns whether there was one */
  readonly closeTop: () => boolean;
  readonly say: (text: string) => void;
}

const step = 24;
const moves: Readonly<Partial<Record<EditorAction, readonly [number, number]>>> = {
  moveUp: [0, -step],
  moveDown: [0, step],
  moveLeft: [-step, 0],
  moveRight: [step, 0],
};
const directions: Readonly<Partial<Record<EditorAction, Direction>>> = {
  selectUp: 'up',
  selectDown: 'down',
  selectLeft: 'left',
  selectRight: 'right',
};

/** Handles a key press of the page; what it acted on is prevented for everybody else. */
export function onEditorKey(event: KeyboardEvent, parts: KeyboardParts): void {
  if (event.defaultPrevented || document.querySelector('[role="dialog"],[role="menu"],[role="alertdialog"]')) return;
  const { target } = event;
  // A list that is open, and the code editor, have their own use for Escape.
  if (
    event.key === 'Escape' &&
    target instanceof HTMLElement &&
    (target.getAttribute('aria-expanded') === 'true' || target.closest('.cm-editor'))
  )
    return;
  const canvas = parts.canvas();
  const inside = target instanceof Node && canvas !== undefined && canvas.contains(target);
  const onButton = target instanceof HTMLElement && target.closest('button,a[href],[role="treeitem"]') !== null;
  const onCanvas =
    (inside && !onButton) || target === document.body || (target instanceof HTMLElement && target.id === 'main');
  const action = actionFor(event, { typing: isTyping(target), onCanvas });
  if (!action) return;
  // Tab is how one gets about by keyboard; only for a hand that was just drawing does it open the palette.
  if (event.key === 'Tab' && !parts.drawing()) return;
  if (act(action, parts)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function act(action: EditorAction, parts: KeyboardParts): boolean {
  const { editor } = parts;
  const { selection } = editor;
  const [first] = selection;
  const direction = directions[action];
  const move = moves[action];
  if (direction) {
    const from = first ?? editor.triggerId;
    const next =
      from === undefined ? undefined : first === undefined ? from : neighbour(editor.loops.visible, from, direction);
    if (next === undefined) return first !== undefined;
    editor.select([next]);
    editor.viewport?.focusNode(next);
    return true;
  }
  if (move) {
    if (selection.length === 0) return false;
    const places = Object.fromEntries(
      selection.map((id) => {
        const { x, y } = editor.draft.positions[id] ?? { x: 0, y: 0 };
        return [id, { x: x + move[0], y: y + move[1] }];
      }),
    );
    editor.steps.move(places, `move:${selection.join()}`);
    return true;
  }
  switch (action) {
    case 'undo':
      editor.undo();
      return true;
    case 'redo':
      editor.redo();
      return true;
    case 'save':
      void editor.autosave.flush().then((saved) => saved && parts.say('Everything is saved.'));
      return true;
    case 'publish':
      parts.publish();
      return true;
    case 'palette':
      openPalette(editor);
      return true;
    case 'delete':
      if (editor.readOnly || selection.length + editor.selectedEdges.length === 0) return false;
      editor.steps.remove(selection, editor.selectedEdges);
      return true;
    case 'rename':
      if (first === undefined) return false;
      editor.opened = first;
      parts.rename();
      return true;
    case 'test':
      parts.test();
      return true;
    case 'pin':
      if (first === undefined || editor.readOnly) return false;
      parts.pin(first);
      return true;
    case 'moveIn':
      return selection.length > 0 && editor.loops.askWhere(selection);
    case 'moveOut':
      return selection.length > 0 && editor.loops.leave(selection);
    case 'fold':
      if (first === undefined || !editor.loops.ids.has(first)) return false;
      editor.loops.toggle(first);
      return true;
    case 'toggle':
      if (selection.length === 0) return false;
      editor.steps.toggle(selection);
      return true;
    case 'duplicate':
      if (selection.length === 0) return false;
      editor.steps.duplicate(selection);
      return true;
    case 'selectAll':
      editor.select(Object.keys(editor.shown.nodes));
      return true;
    case 'open':
      if (first === undefined) return false;
      editor.opened = first;
      return true;
    case 'close':
      return parts.closeTop();
    case 'fit':
      editor.viewport?.fit();
      return true;
    case 'fitSelection':
      editor.viewport?.fit(selection);
      return true;
    case 'zoomIn':
      editor.viewport?.zoom('in');
      return true;
    case 'zoomOut':
      editor.viewport?.zoom('out');
      return true;
    case 'zoomReset':
      editor.viewport?.zoom('reset');
      return true;
    case 'tidy':
      editor.steps.tidy();
      return true;
    case 'problems':
      parts.toggleProblems();
      return true;
    case 'outline':
      parts.toggleOutline();
      return true;
    case 'help':
      parts.help();
      return true;
    default:
      return false;
  }
}

/** The palette for the selected line, behind the selected step, or for a free place in the middle. */
export function openPalette(editor: Editor): void {
  const at = { x: window.innerWidth / 2 - 180, y: 120 };
  const [nodeId] = editor.selection;
  const [edgeId] = editor.selectedEdges;
  if (edgeId !== undefined) return editor.askForStep({ kind: 'edge', edgeId }, at);
  if (nodeId !== undefined) {
    const card = editor.cards.find((candidate) => candidate.id === nodeId);
    const inside = card?.loop?.steps === 0 ? card.ports.find((candidate) => candidate.id === LOOP_PORT) : undefined;
    const port = inside ?? card?.ports.find((candidate) => candidate.open) ?? card?.ports[0];
    const next =
      port && !port.open ? editor.draft.edges.find((edge) => edge.from === nodeId && edge.port === port.id) : undefined;
    if (next) return editor.askForStep({ kind: 'edge', edgeId: next.id }, at);
    if (port) return editor.askForStep({ kind: 'after', nodeId, port: port.id }, at);
  }
  const middle = editor.viewport?.middle();
  editor.askForStep(
    Object.keys(editor.draft.nodes).length === 0 || !middle ? { kind: 'free' } : { kind: 'free', at: middle },
    at,
  );
}

/** Copies, cuts and pastes steps by the browser's own clipboard events, so that no permission is asked. */
export function onEditorClipboard(event: ClipboardEvent, editor: Editor): void {
  if (isTyping(event.target) || document.querySelector('[role="dialog"]') || !event.clipboardData) return;
  if (event.type === 'paste') {
    if (editor.readOnly) return;
    if (editor.steps.paste(event.clipboardData.getData('text/plain'))) event.preventDefault();
    return;
  }
  // Text that is marked on the page is what people want to copy.
  if (editor.selection.length === 0 || (window.getSelection()?.toString() ?? '') !== '') return;
  event.clipboardData.setData('text/plain', copyNodes(editor.shown, editor.selection));
  event.preventDefault();
  editor.said = editor.selection.length === 1 ? 'One step copied' : `${editor.selection.length} steps copied`;
  if (event.type === 'cut') editor.steps.remove(editor.selection);
}
