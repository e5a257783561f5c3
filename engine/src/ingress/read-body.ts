import type { WebhookConfig } from '@plumbline/nodes';
import { ApiError } from '../problem.ts';
import { parseJson } from './json.ts';

type Kind = NonNullable<WebhookConfig['body']>;

const words: Readonly<Record<Kind, { readonly name: string; readonly send: string }>> = {
  json: { name: 'JSON', send: 'application/json' },
  form: { name: 'a form', send: 'application/x-www-form-urlencoded' },
  text: { name: 'plain text', send: 'text/plain' },
  xml: { name: 'XML', send: 'application/xml' },
};

/**
 * What a flow gets to see of a body: JSON as it is, a form as its fields, text and XML as text. A body of another type than the address takes is refused.
 * @throws ApiError `unsupported_media_type`, `body_invalid`, and what `parseJson` throws
 */
export function readBody(kind: Kind, contentType: string | undefined, raw: Uint8Array): unknown {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (!isOfKind(kind, type))
    throw new ApiError('unsupported_media_type', `The body is "${type || 'of no type'}", not ${words[kind].name}.`, {
      fix: `Send Content-Type: ${words[kind].send}, or choose in the trigger what is posted.`,
    });
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.replace(/["']/g, '');
  if (charset !== undefined && charset !== 'charset=utf-8' && charset !== 'charset=us-ascii')
    throw new ApiError('unsupported_media_type', 'The body is read as UTF-8 and nothing else.', {
      fix: 'Leave out the charset, and send UTF-8.',
    });
  if (kind === 'json') return parseJson(raw);
  const text = decode(raw);
  return kind === 'form' ? fieldsOf(text) : text;
}

function isOfKind(kind: Kind, type: string): boolean {
  if (kind === 'json') return type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
  if (kind === 'xml')
    return type === 'application/xml' || type === 'text/xml' || /^application\/[\w.-]+\+xml$/.test(type);
  if (kind === 'text') return type === '' || type.startsWith('text/');
  return type === 'application/x-www-form-urlencoded';
}

function decode(raw: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch (cause) {
    throw new ApiError('body_invalid', 'The body is not UTF-8 text.', { fix: 'Send it in UTF-8.', cause });
  }
}

/** Most fields of one form. */
const FIELDS_MAX = 1_000;

/** Fields by name; one that comes several times is a list. */
function fieldsOf(text: string): Record<string, string | string[]> {
  const form = new URLSearchParams(text);
  if (form.size > FIELDS_MAX)
    throw new ApiError('body_invalid', `The form has more than ${FIELDS_MAX} fields.`, { fix: 'Send fewer.' });
  const names = [...new Set(form.keys())];
  const reserved = names.find((name) => name === '__proto__');
  if (reserved) throw new ApiError('body_invalid', `The form has a field named "${reserved}".`);
  return Object.fromEntries(
    names.map((name) => {
      const values = form.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}
