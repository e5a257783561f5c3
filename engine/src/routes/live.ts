import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { readActor, requireRight, type ActorEnv } from '../auth/session.ts';
import type { Services } from '../services.ts';

const HEARTBEAT_MS = 15_000;

/** What changes, as it changes. The stream ends within a minute when the person's access does. */
export function liveRoutes(services: Services) {
  return new Hono<ActorEnv>().get('/', requireRight('run:read'), (c) => {
    const { companyId } = c.get('actor');
    const { headers } = c.req.raw;
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      const stop = await services.live.watch(
        companyId,
        (change) => void stream.writeSSE({ event: 'change', data: JSON.stringify(change) }),
      );
      stream.onAbort(stop);
      try {
        await stream.writeSSE({ event: 'open', data: '{}' });
        for (let beat = 1; !stream.aborted; beat++) {
          await stream.sleep(HEARTBEAT_MS);
          if (beat % 3 === 0 && (await readActor(services.auth, services.authPool, headers)).companyId !== companyId)
            break;
          await stream.writeSSE({ event: 'beat', data: '{}' });
        }
      } catch {
        // signed out, removed, or the browser went away: the stream just ends
      } finally {
        stop();
      }
    });
  });
}
