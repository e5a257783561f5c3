import { z } from 'zod';
import { documentLimits } from '../documents/limits.ts';
import { DocumentRefusal } from '../documents/refusal.ts';
import {
  ConnectorFailure,
  failureWithoutAnswer,
  isConnectorFailure,
  refusalOfStatus,
  type RunContext,
} from '../sdk/index.ts';
import { badInput } from './bad-input.ts';

/** Base64 takes four characters for three bytes; a `data:` address begins with a few more. */
const BASE64_MAX = Math.ceil(documentLimits.fileBytes / 3) * 4 + 200;

/** Where a file comes from. Steps hand on JSON, so a file is either Base64 text in it, as a webhook or an API gives it, or fetched where it lies. */
export const fileFields = {
  from: z
    .enum(['base64', 'address'])
    .default('base64')
    .meta({
      title: 'The file is',
      labels: { base64: 'Base64 text from an earlier step', address: 'At a web address' },
    }),
  data: z
    .string()
    .max(BASE64_MAX)
    .optional()
    .meta({ title: 'File as Base64', shownWhen: { field: 'from', is: ['base64'] } }),
  url: z
    .string()
    .max(2_000)
    .optional()
    .meta({
      title: 'Address',
      description: 'An https address on the internet that gives the file to whoever knows it.',
      shownWhen: { field: 'from', is: ['address'] },
    }),
};

type Given = Pick<z.infer<z.ZodObject<typeof fileFields>>, 'from' | 'data' | 'url'>;

/**
 * The bytes of the file.
 * @throws ConnectorFailure `required_missing`, `base64_invalid`, `file_too_large`, `url_forbidden`, and what the address answers
 */
export async function fileBytes(
  { from, data = '', url = '' }: Given,
  context: Pick<RunContext, 'fetchPublic' | 'signal' | 'now'>,
): Promise<Buffer> {
  if (from === 'address') {
    if (url === '') throw badInput('required_missing', 'There is no address to fetch the file from. Fill it in.');
    return await download(url, context);
  }
  const text = data.replace(/^data:[^,]{0,150},/, '').replace(/\s+/g, '');
  if (text === '') throw badInput('required_missing', 'There is no file. Take its Base64 text from an earlier step.');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text))
    throw badInput('base64_invalid', 'The file is no Base64 text. Choose the field that holds it, or have it sent so.');
  return Buffer.from(text, 'base64');
}

/** A refusal of a document as the failure of the step; anything else as it is. */
export function asFailure(error: unknown): unknown {
  return error instanceof DocumentRefusal ? badInput(error.code, error.message, error) : error;
}

async function download(
  url: string,
  { fetchPublic, signal, now }: Pick<RunContext, 'fetchPublic' | 'signal' | 'now'>,
): Promise<Buffer> {
  const title = URL.canParse(url) ? new URL(url).host : 'The address';
  try {
    const response = await fetchPublic(url, { signal, headers: { Accept: '*/*' } });
    const refusal = refusalOfStatus(response.status, response.headers, false, now());
    if (refusal) {
      await response.body?.cancel();
      throw new ConnectorFailure({
        ...refusal,
        // There is no account to reconnect.
        kind: refusal.kind === 'reauthorize' ? 'invalid' : refusal.kind,
        status: response.status,
        message: `${title} answered with ${response.status} in place of the file. Look whether the address is right, then retry.`,
      });
    }
    return await bytesOf(response);
  } catch (cause) {
    if (isConnectorFailure(cause)) throw cause;
    throw failureWithoutAnswer({
      title,
      request: { method: 'GET', path: new URL(url).pathname },
      mutating: false,
      cause,
    });
  }
}

/** Never more than a file may have, whatever its `Content-Length` claims. */
async function bytesOf(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > documentLimits.fileBytes) {
      throw badInput(
        'file_too_large',
        `The file is larger than ${documentLimits.fileBytes / 1024 / 1024} MiB. Send it in parts.`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
