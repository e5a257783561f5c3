import { ConnectorFailure } from './failure.ts';

/** Largest answer that is read: 10 MiB. */
export const ANSWER_MAX_BYTES = 10 * 1024 * 1024;

/**
 * Reads a body as text, but never more than `maxBytes` of it, whatever its `Content-Length` claims.
 * @throws ConnectorFailure `contract`, code `too_large`
 */
export async function readCapped(response: Response, maxBytes: number = ANSWER_MAX_BYTES): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const chunk = part.value as Uint8Array;
    size += chunk.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      throw new ConnectorFailure({
        kind: 'contract',
        code: 'too_large',
        status: response.status,
        message: `The answer is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB and was not read.`,
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
