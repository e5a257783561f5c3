import { due } from './figures.ts';
import { startMockVendor } from './mock-vendor.ts';
import { openSender, type Sender } from './sender.ts';
import type { Order, Seen, Start } from './systems-apart.ts';

const vendor = await startMockVendor();
let sender: Sender | undefined;
let ended = false;

process.on('message', (order: Order) => void obey(order));
process.on('disconnect', () => process.exit());
tell(vendor.origin);

async function obey(order: Order): Promise<void> {
  if (order.kind === 'send-to') sender = openSender(order.flow, order.origins);
  else if (order.kind === 'end') ended = true;
  else if (order.kind === 'begin') tell(await deliver(order.name, order.everyMs, order.most));
  else
    tell({
      acked: [...(sender?.acked ?? [])],
      effects: vendor.effects,
      doubled: vendor.doubled(),
      outOfOrder: vendor.outOfOrder(),
    } satisfies Seen);
}

async function deliver(name: string, everyMs: number, most: number): Promise<readonly Start[]> {
  ended = false;
  const sent = new Map<string, number>();
  const deliveries: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < most && !ended; n++) {
    await due(began + n * everyMs);
    const id = `${name}-${n}`;
    sent.set(id, performance.now());
    deliveries.push(sender?.deliver(id) ?? Promise.reject(new Error('Nobody said whom to send to')));
  }
  await Promise.all(deliveries);
  const starts: Start[] = [];
  for (const [id, at] of sent) {
    while (!vendor.firstSeen.has(id)) await due(performance.now() + 20);
    starts.push({ sentAt: performance.timeOrigin + at, ms: (vendor.firstSeen.get(id) ?? 0) - at });
  }
  return starts;
}

function tell(what: unknown): void {
  process.send?.(what);
}
