import { bodyLimit } from 'hono/body-limit';
import { ApiError } from '../problem.ts';

const MIB = 1024 * 1024;
/** A body this much over is read to its end, so that its sender sees our answer and not a broken pipe. */
const DRAIN_BYTES = 16 * MIB;

/** Refuses bodies over a limit with 413. */
export function limitBody(mebibytes: number) {
  return bodyLimit({
    maxSize: mebibytes * MIB,
    onError: async (c) => {
      await drain(c.req.raw.body);
      throw new ApiError('payload_too_large', `The body is larger than ${mebibytes} MiB.`, {
        fix: 'Send less, or a link to the data.',
      });
    },
  });
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (!body || body.locked) return;
  let read = 0;
  for await (const chunk of body) {
    read += chunk.length;
    if (read > DRAIN_BYTES) return;
  }
}
