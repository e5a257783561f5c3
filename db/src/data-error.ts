/** Bad data, with a code the API passes on. */
export class DataError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** PostgreSQL's text cannot hold NUL, and half a surrogate pair is no character. */
const unsupported = /\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Whether a text can be stored: it holds neither NUL nor half a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !unsupported.test(text);
}

/**
 * JSON text for a `jsonb` column.
 * @throws DataError `unsupported_character` when a text in it holds NUL or half a surrogate pair.
 */
export function json(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  // Both are written as escapes, so most texts need no closer look.
  if (!text.includes('\\u')) return text;
  return JSON.stringify(value ?? null, (key, item: unknown) => {
    if ((typeof item === 'string' && !isStorableText(item)) || !isStorableText(key))
      throw new DataError(
        'unsupported_character',
        'A text holds a character that cannot be stored (NUL, or half of a surrogate pair).',
      );
    return item;
  });
}
