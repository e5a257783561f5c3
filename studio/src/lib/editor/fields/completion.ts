import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { brief, findEntry, type DataEntry } from './data-tree.ts';
import { functions } from './jsonata-language.ts';
import { quoteName } from './path.ts';

const roots: readonly (readonly [string, string])[] = [
  ['trigger', 'What started the run'],
  ['steps', 'What earlier steps gave'],
  ['params', 'Settings of this flow'],
  ['run', 'This run'],
  ['company', 'Your company'],
];

const loopRoots: readonly (readonly [string, string])[] = [['loop', 'This turn of the loop: item, index, count']];

/** What may stand at the caret: fields behind a dot, roots and functions elsewhere. */
export function completeFrom(
  entries: () => readonly DataEntry[],
): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const path = context.matchBefore(/(?:trigger|loops|loop|steps|params|run|company)(?:\.(?:\w+|`[^`]*`))*\.\w*/);
    if (path) return fields(entries(), path.from, path.text);
    const word = context.matchBefore(/[$A-Za-z_]\w*/);
    if (!word && !context.explicit) return null;
    const options: Completion[] = [
      ...(entries().some(({ path }) => path === 'loop') ? loopRoots : []).map(([label, detail]) => ({
        label,
        detail,
        type: 'namespace',
        boost: 3,
      })),
      ...roots.map(([label, detail]) => ({ label, detail, type: 'namespace', boost: 2 })),
      ...functions.map(([name, signature, says]) => ({
        label: name,
        detail: says,
        info: signature,
        type: 'function',
        apply: `${name}(`,
      })),
    ];
    return { from: word?.from ?? context.pos, options, validFor: /^\$?\w*$/ };
  };
}

function fields(entries: readonly DataEntry[], from: number, text: string): CompletionResult | null {
  const dot = text.lastIndexOf('.');
  const owner = text.slice(0, dot);
  const children =
    owner === 'steps' || owner === 'loops'
      ? entries.filter((entry) => entry.path.startsWith(`${owner}.`))
      : (findEntry(entries, owner)?.children ?? []);
  if (children.length === 0) return null;
  return {
    from: from + dot + 1,
    options: children.map((entry) => ({
      label: entry.name,
      apply: quoteName(entry.name),
      detail: entry.sample === undefined ? entry.kind : brief(entry.sample, 32),
      ...(entry.title === entry.name ? {} : { info: entry.title }),
      type: entry.children.length > 0 ? 'namespace' : 'property',
    })),
    validFor: /^\w*$/,
  };
}
