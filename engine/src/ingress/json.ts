import { ApiError } from '../problem.ts';

export const JSON_DEPTH = 64;
/** Most values and keys in one body: each costs memory many times its length. */
const JSON_VALUES = 200_000;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses JSON from outside. Nesting and number of values are measured before parsing; keys that could reach an object's prototype are refused.
 * @throws ApiError `json_invalid`, `json_too_deep`, `json_too_large`
 */
export function parseJson(raw: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(raw);
  } catch (cause) {
    throw new ApiError('json_invalid', 'The body is not UTF-8 text.', { cause });
  }
  const { depth, values } = measure(text);
  if (depth > JSON_DEPTH)
    throw new ApiError('json_too_deep', `The body is nested deeper than ${JSON_DEPTH} levels.`, { fix: 'Flatten it.' });
  if (values > JSON_VALUES)
    throw new ApiError('json_too_large', `The body holds more than ${JSON_VALUES} values.`, {
      fix: 'Send it in several parts.',
    });
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new ApiError('json_invalid', 'The body has a key named "__proto__".');
      return value;
    }) as unknown;
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError(
      'json_invalid',
      `The body is not JSON: ${cause instanceof Error ? cause.message.slice(0, 200) : 'it cannot be read'}.`,
      { cause },
    );
  }
}

function measure(text: string): { readonly depth: number; readonly values: number } {
  let values = 1;
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 92) index++;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth);
    else if (code === 93 || code === 125) depth--;
    else if (code === 44) values++;
  }
  return { depth: deepest, values };
}
