import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What a network does to what goes through it. */
export const toxics = ['latency', 'reset', 'half-open', 'slow', 'cut'] as const;
export type Toxic = (typeof toxics)[number];

/** How much it did; without any of it, a fault did not bite. */
export interface Bites {
  /** Connections broken off, or refused. */
  readonly broken: number;
  /** Bytes that came late. */
  readonly delayed: number;
  /** Bytes that never came. */
  readonly swallowed: number;
}

/** One way to one server. */
export interface Link extends AsyncDisposable {
  readonly port: number;
  /** Poisons it; what is connected feels it at once. Without a toxic it is a good network again, but what it swallowed does not come back. */
  poison(toxic: Toxic | undefined): void;
  bites(): Bites;
}

const LATENCY_MS = 2_000;
const BYTES_PER_SECOND = 1_024;
/** A slow network hands on so often. */
const SLOW_EVERY_MS = 100;

/** Leads to a port on loopback through a network that can be made bad. */
export async function openLink(to: number): Promise<Link> {
  let toxic: Toxic | undefined;
  const bitten = { broken: 0, delayed: 0, swallowed: 0 };
  const pairs = new Set<{ readonly break: (how: 'reset' | 'cut') => void; silence: () => void }>();

  const server = createServer({ allowHalfOpen: true }, (near) => {
    near.on('error', () => undefined);
    if (toxic === 'reset' || toxic === 'cut') {
      bitten.broken++;
      if (toxic === 'reset') near.resetAndDestroy();
      else near.destroy();
      return;
    }
    const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
    near.setNoDelay(true);
    far.setNoDelay(true);
    // One end has gone, and nobody told the other.
    let silent = toxic === 'half-open';
    const pair = {
      break: (how: 'reset' | 'cut') => {
        bitten.broken++;
        for (const side of [near, far])
          if (how === 'reset') side.resetAndDestroy();
          else side.destroy();
      },
      silence: () => (silent = true),
    };
    pairs.add(pair);
    const close = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.once('close', close);
    far.once('close', close);
    pipe(near, far, () => silent);
    pipe(far, near, () => silent);
  });

  /** Hands on what comes, in order, as the network is at that moment. */
  const pipe = (from: Socket, into: Socket, isSilent: () => boolean): void => {
    let last = Promise.resolve();
    const next = (work: () => Promise<void> | void): void => void (last = last.then(work).catch(() => undefined));
    from.on('data', (chunk: Buffer) => {
      if (isSilent()) {
        bitten.swallowed += chunk.length;
        return;
      }
      const due = toxic === 'latency' ? performance.now() + LATENCY_MS : 0;
      if (due > 0) bitten.delayed += chunk.length;
      next(async () => {
        if (due > 0 && toxic === 'latency') await pause(due - performance.now());
        for (let at = 0; at < chunk.length && !into.destroyed;) {
          const size = toxic === 'slow' ? Math.ceil((BYTES_PER_SECOND * SLOW_EVERY_MS) / 1_000) : chunk.length - at;
          if (toxic === 'slow') {
            bitten.delayed += Math.min(size, chunk.length - at);
            await pause(SLOW_EVERY_MS);
          }
          if (!isSilent()) into.write(chunk.subarray(at, at + size));
          at += size;
        }
      });
    });
    from.on('end', () => next(() => void (isSilent() || into.end())));
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    poison: (next) => {
      toxic = next;
      if (next === 'reset' || next === 'cut') for (const pair of pairs) pair.break(next);
      if (next === 'half-open') for (const pair of pairs) pair.silence();
    },
    bites: () => ({ ...bitten }),
    [Symbol.asyncDispose]: async () => {
      for (const pair of pairs) pair.break('cut');
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
