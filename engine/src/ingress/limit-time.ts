import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import { ApiError } from '../problem.ts';

/** Refuses what has not come in whole after so many seconds with 408, and closes its connection: whoever sends a byte now and then holds nothing for long. */
export function limitTime(seconds: number) {
  return createMiddleware<{ Bindings: HttpBindings }>(async (c, next) => {
    const { incoming } = c.env;
    const { promise, reject } = Promise.withResolvers<never>();
    const late = setTimeout(() => {
      if (incoming.complete) return;
      reject(
        new ApiError('request_timeout', `The body had not come in whole after ${seconds} seconds.`, {
          fix: 'Send it again, over a faster line or in a smaller piece.',
          headers: { Connection: 'close' },
        }),
      );
    }, seconds * 1_000);
    try {
      await Promise.race([next(), promise]);
    } finally {
      clearTimeout(late);
    }
  });
}
