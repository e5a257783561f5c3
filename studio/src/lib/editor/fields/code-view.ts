import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { completeFrom } from './completion.ts';
import type { DataEntry } from './data-tree.ts';
import { jsonataLanguage } from './jsonata-language.ts';

const colours = HighlightStyle.define([
  { tag: tags.string, color: 'var(--ok)' },
  { tag: tags.number, color: 'var(--warn)' },
  { tag: [tags.keyword, tags.operator], color: 'var(--bad)' },
  { tag: [tags.function(tags.variableName), tags.variableName], color: 'var(--accent)' },
  { tag: tags.propertyName, color: 'var(--ink)' },
  { tag: tags.comment, color: 'var(--ink-3)', fontStyle: 'italic' },
]);

const look = EditorView.theme({
  '&': { fontSize: 'var(--t1)', backgroundColor: 'var(--sheet)', color: 'var(--ink)', borderRadius: 'var(--radius)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-content': { fontFamily: 'var(--mono)', padding: '6px 0', caretColor: 'var(--ink)', lineHeight: '18px' },
  '.cm-line': { padding: '0 8px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selected)',
  },
  '.cm-placeholder': { color: 'var(--ink-3)', fontFamily: 'var(--sans)' },
  '.cm-tooltip': {
    border: '1px solid var(--line-2)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--sheet)',
    color: 'var(--ink)',
    boxShadow: 'var(--shadow)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--selected)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--ink-3)', fontStyle: 'normal', marginLeft: '12px' },
  '.cm-tooltip-autocomplete ul li': { fontFamily: 'var(--mono)', fontSize: 'var(--t1)', padding: '3px 8px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--selected)' },
});

export interface CodeParts {
  readonly parent: HTMLElement;
  readonly source: string;
  readonly label: string;
  readonly hint: string;
  /** Several lines high from the start. */
  readonly tall: boolean;
  readonly readOnly: boolean;
  readonly entries: () => readonly DataEntry[];
  readonly onInput: (source: string) => void;
  readonly onBlur: () => void;
  readonly onEscape: () => void;
}

/** A JSONata editor in a field. Tab leaves it, so that the keyboard is never caught. */
export function codeView(parts: CodeParts): EditorView {
  const extensions: Extension[] = [
    history(),
    closeBrackets(),
    autocompletion({
      override: [completeFrom(parts.entries)],
      icons: false,
      tooltipClass: () => 'expression-completions',
    }),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      { key: 'Escape', run: () => (parts.onEscape(), true) },
      ...historyKeymap,
      ...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter'),
    ]),
    jsonataLanguage,
    syntaxHighlighting(colours),
    EditorView.lineWrapping,
    EditorState.readOnly.of(parts.readOnly),
    EditorView.editable.of(!parts.readOnly),
    EditorView.contentAttributes.of({
      'aria-label': parts.label,
      spellcheck: 'false',
      autocapitalize: 'off',
      style: parts.tall ? 'min-height: 76px' : '',
    }),
    placeholder(parts.hint),
    look,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) parts.onInput(update.state.doc.toString());
      if (update.focusChanged && !update.view.hasFocus) parts.onBlur();
    }),
  ];
  return new EditorView({
    parent: parts.parent,
    state: EditorState.create({ doc: parts.source, selection: { anchor: parts.source.length }, extensions }),
  });
}

/** Underlines what is wrong, where it is wrong. */
export function markProblems(
  view: EditorView,
  problems: readonly {
    readonly from: number;
    readonly to: number;
    readonly message: string;
    readonly severity: 'error' | 'warning';
  }[],
): void {
  const { length } = view.state.doc;
  const diagnostics = problems.map(({ from, to, message, severity }): Diagnostic => ({
    from: Math.min(from, length),
    to: Math.min(Math.max(to, from + (from < length ? 1 : 0)), length),
    message,
    severity,
  }));
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** Puts text at the caret, with a space where two names would run together. */
export function insertAtCaret(view: EditorView, text: string): void {
  const { from, to } = view.state.selection.main;
  const before = view.state.sliceDoc(Math.max(0, from - 1), from);
  const insert = /[\w`"]/.test(before) ? ` & ${text}` : text;
  view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
  view.focus();
}
