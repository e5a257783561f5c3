import { listen } from '@plumbline/db';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Carrying } from './activities/advance.ts';

/** Channel on which the dispatcher says that runs were queued; sent in the transaction that queues them. */
export const QUEUED_CHANNEL = 'plumbline_queued';

const noticeSchema = z.object({ companyId: z.uuid(), planHash: z.string(), runIds: z.array(z.uuid()).min(1) });

export type QueuedNotice = z.infer<typeof noticeSchema>;

/**
 * Carries new runs on as soon as they are queued, ahead of their carriers. A notice that is lost, or that several workers hear, costs nothing: each
 * run is taken by one, and what nobody takes comes with its carrier.
 * @returns what ends it, once what is under way has come to rest.
 */
export async function goAhead(options: {
  readonly databaseUrl: string;
  readonly advanceQueued: Carrying['advanceQueued'];
  readonly log: Logger;
}): Promise<() => Promise<void>> {
  const underWay = new Set<Promise<void>>();
  const stop = await listen(options.databaseUrl, QUEUED_CHANNEL, (payload) => {
    const notice = noticeSchema.safeParse(readJson(payload));
    if (!notice.success) return;
    const task: Promise<void> = options
      .advanceQueued(notice.data)
      .catch((error: unknown) =>
        options.log.warn({ err: error }, 'runs were not carried on ahead; their carrier does it'),
      )
      .finally(() => underWay.delete(task));
    underWay.add(task);
  });
  return async () => {
    await stop();
    await Promise.allSettled(underWay);
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
