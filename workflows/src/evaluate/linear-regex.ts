import { RE2JS } from 're2js';

/**
 * A regular expression engine for JSONata that runs in linear time: no pattern can make it backtrack.
 * Look-ahead, look-behind and back-references do not exist in it and are refused when the expression is saved.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export class LinearRegex {
  lastIndex = 0;
  readonly source: string;
  readonly #pattern: RE2JS;

  constructor(pattern: RegExp | string) {
    this.source = typeof pattern === 'string' ? pattern : pattern.source;
    this.#pattern = compileLinear(this.source, typeof pattern === 'string' ? '' : pattern.flags);
  }

  exec(text: string): (string[] & { index: number }) | null {
    const matcher = this.#pattern.matcher(text);
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const groups: string[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++) groups.push(matcher.group(group) ?? '');
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start() });
  }

  test(text: string): boolean {
    return this.exec(text) !== null;
  }
}

/** Compiles a pattern for the linear engine; throws when the pattern needs a backtracking one. */
export function compileLinear(source: string, flags: string): RE2JS {
  const mode =
    (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes('m') ? RE2JS.MULTILINE : 0) |
    (flags.includes('s') ? RE2JS.DOTALL : 0);
  return RE2JS.compile(RE2JS.translateRegExp(source), mode);
}
