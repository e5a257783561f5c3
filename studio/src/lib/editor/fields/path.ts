/** A plain path of names, as it can be shown on a pill. */
export interface PlainPath {
  readonly root: 'trigger' | 'loop' | 'loops' | 'steps' | 'params' | 'run' | 'company';
  /** Names behind the root. */
  readonly names: readonly string[];
}

const name = String.raw`(?:[A-Za-z_][A-Za-z0-9_]*|\x60[^\x60]+\x60)`;
const plain = new RegExp(String.raw`^\s*(trigger|loops|loop|steps|params|run|company)((?:\.${name})*)\s*$`);
const reserved = new Set(['and', 'or', 'in', 'true', 'false', 'null']);

/** Reads an expression that is nothing but a path; undefined for anything else. */
export function readPath(source: string): PlainPath | undefined {
  const match = plain.exec(source);
  if (!match) return undefined;
  const names = [...(match[2] ?? '').matchAll(new RegExp(String.raw`\.(${name})`, 'g'))].map(([, text = '']) =>
    text.replaceAll('`', ''),
  );
  return { root: match[1] as PlainPath['root'], names };
}

/** A name as JSONata takes it: in back-ticks when it is not a plain name. */
export function quoteName(text: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !reserved.has(text) ? text : `\`${text.replaceAll('`', '')}\``;
}

/** A path as an expression. */
export function writePath(names: readonly string[]): string {
  return names.map(quoteName).join('.');
}

/** One piece of a text made of fields and words: `"Bill " & steps.bill.number`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: PlainPath; readonly source: string };

/** Reads an expression made only of paths and quoted words joined by `&`; undefined for anything else. */
export function readPieces(source: string): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const part of splitTop(source, '&')) {
    const path = readPath(part);
    const text = /^\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(part);
    if (path) pieces.push({ kind: 'path', path, source: part.trim() });
    else if (text) pieces.push({ kind: 'text', text: unquote(`"${text[1] ?? ''}"`) });
    else return undefined;
  }
  return pieces.length === 0 ? undefined : pieces;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

/** Splits at a sign that stands outside of strings and brackets. */
export function splitTop(source: string, sign: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let index = 0; index < source.length; index++) {
    const char = source.charAt(index);
    if (quote) {
      if (char === '\\' && quote !== '`') index++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') quote = char;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (depth === 0 && source.startsWith(sign, index)) {
      parts.push(source.slice(start, index));
      start = index + sign.length;
      index = start - 1;
    }
  }
  parts.push(source.slice(start));
  return parts;
}
