import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { Evaluator } from '@plumbline/workflows/evaluate/pool';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { Client, Connection } from '@temporalio/client';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';
import { due } from '../support/figures.ts';
import { until } from '../support/until.ts';
import { benchEvent } from './contender.ts';
import type { Loopback } from './loopback.ts';
import { quantile } from './measure.ts';
import type { PlumblineContender } from './plumbline.ts';

let serial = 0;

/** How fast webhooks are stored and acknowledged, with nothing else going on: the flow they belong to is switched off. */
export async function acknowledging(ours: PlumblineContender, events: number) {
  const client = await ours.up.client();
  const flow = await publishWebhookFlow(client, `Acknowledged ${serial++}`, {
    params: {},
    connections: {},
    nodes: { incoming: node('core.webhook', 'In'), stop: node('core.stop', 'Stop') },
    edges: line('incoming', 'stop'),
  });
  await client.call('POST', `/api/flows/${flow.id}/switch`, { on: false });
  const times: number[] = [];
  const began = performance.now();
  let left = events;
  const sender = async (): Promise<void> => {
    while (left > 0) {
      const id = `ack-${serial++}-${left--}`;
      const { status, ms } = await ours.deliver(id, JSON.stringify(benchEvent(id)), flow);
      if (status !== 200) throw new Error(`The webhook was answered with ${status}`);
      times.push(ms);
    }
  };
  await Promise.all(Array.from({ length: 32 }, sender));
  const seconds = (performance.now() - began) / 1_000;
  return { perSecond: events / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Deliveries spread over so many seconds, three in ten of them repeats, each acknowledged in its time; resolves when all that they start is done. */
export async function burst(ours: PlumblineContender, loopback: Loopback, deliveries: number, seconds: number) {
  const mark = `burst-${serial++}`;
  const unique = Math.round(deliveries * 0.7);
  const collected = loopback.collect(unique, 600_000);
  const times: number[] = [];
  const began = performance.now();
  const sent: Promise<void>[] = [];
  for (let n = 0; n < deliveries; n++) {
    await due(began + (n * seconds * 1_000) / deliveries);
    // A repeat comes soon after what it repeats, or long after; every tenth three of them.
    const id = `${mark}-${n % 10 < 7 ? Math.floor(n / 10) * 7 + (n % 10) : (n * 7_919) % (Math.floor(n / 10) * 7 + 7)}`;
    sent.push(
      ours.deliver(id, JSON.stringify(benchEvent(id))).then(({ status, ms }) => {
        if (status !== 200) throw new Error(`The webhook was answered with ${status}`);
        times.push(ms);
      }),
    );
  }
  await Promise.all(sent);
  await collected;
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: quantile(times, 1),
    doubled: loopback.doubled(),
  };
}

/** Milliseconds that one more step with a call costs on an idle system, the call itself included. */
export async function stepOverhead(ours: PlumblineContender, loopback: Loopback, runs: number): Promise<number> {
  const client = await ours.up.client();
  const timed = async (steps: number): Promise<number> => {
    const flow = await posting(client, loopback, steps);
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const id = `steps-${steps}-${serial++}`;
      const collected = loopback.collect(1, 60_000);
      const began = performance.now();
      await ours.deliver(id, JSON.stringify({ id }), flow);
      times.push(((await collected).get(id) ?? Number.NaN) - began);
      // Idle means idle: what follows the last call is not the next one's load.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    return quantile(times, 0.5);
  };
  const [few, many] = [await timed(2), await timed(22)];
  return (many - few) / 20;
}

async function posting(client: StudioClient, loopback: Loopback, steps: number) {
  const ids = Array.from({ length: steps }, (_, index) => `post_${index + 1}`);
  return await publishWebhookFlow(client, `${steps} steps ${serial++}`, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      ...Object.fromEntries(
        ids.map((id, index) => [
          id,
          node('core.http-request', id, {
            method: 'POST',
            url: `${loopback.origin}/${index === steps - 1 ? 3 : 1}`,
            body: '={"id": trigger.body.id}',
          }),
        ]),
      ),
    },
    edges: line('incoming', ...ids),
  });
}

/** Expressions that need the real evaluator, in its isolated processes, as many at once as a busy worker has. */
export async function evaluations(count: number): Promise<number> {
  const evaluator = new Evaluator({ size: Math.min(2, cpus().length) });
  const context = JSON.stringify({ trigger: { body: benchEvent('eval') } });
  const expressions = [{ field: 'value', source: '{"id": trigger.body.id, "total": $sum(trigger.body.lines.amount)}' }];
  const evaluate = async (seed: number): Promise<void> => {
    const answer = await evaluator.evaluate('bench', {
      context,
      expressions,
      now: new Date().toISOString(),
      seed: String(seed),
    });
    if (!answer.ok) throw new Error(answer.error.message);
  };
  try {
    await Promise.all(Array.from({ length: 200 }, (_, index) => evaluate(index)));
    const began = performance.now();
    let left = count;
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        while (left > 0) await evaluate(left--);
      }),
    );
    return (count / (performance.now() - began)) * 1_000;
  } finally {
    await evaluator.close();
  }
}

/** Items a second of one loop with one call each, fifty at once. */
export async function loopItems(ours: PlumblineContender, loopback: Loopback, items: number): Promise<number> {
  const flow = await publishWebhookFlow(await ours.up.client(), `Loop ${serial++}`, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      loop: node('core.for-each', 'Each', { items: '=[1..trigger.body.count]', concurrency: 50, limit: 100_000 }),
      post: node(
        'core.http-request',
        'POST',
        { method: 'POST', url: `${loopback.origin}/3`, body: '={"id": trigger.body.name & "-" & loop.item}' },
        { parent: 'loop' },
      ),
    },
    edges: [...line('incoming', 'loop'), { id: 'each', from: 'loop', port: 'each', to: 'post' }],
  });
  const name = `loop-${serial++}`;
  const collected = loopback.collect(items, 600_000);
  const began = performance.now();
  await ours.deliver(name, JSON.stringify({ name, count: items }), flow);
  const times = await collected;
  return (items / (Math.max(...times.values()) - began)) * 1_000;
}

/** What Temporal keeps of a run, on average over the newest runs; and the longest history there is, in events. */
export async function histories(ours: PlumblineContender, runs: number) {
  const { rows } = await ours.up.owner.query<{ company_id: string; carrier_id: string; runs: number }>(
    `select company_id, carrier_id, count(*)::int as runs from (select * from runs order by queued_at desc limit $1) newest group by 1, 2`,
    [runs],
  );
  const connection = await Connection.connect({ address: ours.up.platform.temporal.address });
  try {
    const { workflow } = new Client({ connection });
    let [bytes, counted, longest] = [0, 0, 0];
    for (const row of rows) {
      const { historySize = 0, historyLength } = await workflow
        .getHandle(carrierWorkflowId(row.company_id, row.carrier_id))
        .describe();
      bytes += historySize;
      counted += row.runs;
      longest = Math.max(longest, historyLength);
    }
    return { bytesPerRun: bytes / counted, longest };
  } finally {
    await connection.close();
  }
}

/** Resident memory of the worker process, in MB; undefined where the system does not tell. */
export async function workerMemory(): Promise<number | undefined> {
  try {
    let most = 0;
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (!command.includes('worker-main.ts')) continue;
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      most = Math.max(most, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024);
    }
    return most > 0 ? most : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Milliseconds a run it takes until so many runs wait for the same thing, and until all have gone on after it happened.
 * Linear means: the same at any number.
 */
export async function waitingCost(ours: PlumblineContender, loopback: Loopback, runs: number) {
  const client = await ours.up.client();
  const { items } = await client.call<{ readonly items: readonly { readonly id: string }[] }>(
    'GET',
    '/api/records/vendor_invoice?status=submitted',
  );
  const invoice = items[0]?.id ?? '';
  const flow = await publishWebhookFlow(client, `Waiting ${serial++}`, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      wait: node('core.wait-for-event', 'Wait', {
        entity: 'vendor_invoice',
        change: 'approved',
        equals: invoice,
        amount: 0,
      }),
      post: node('core.http-request', 'POST', {
        method: 'POST',
        url: `${loopback.origin}/3`,
        body: '={"id": trigger.body.id}',
      }),
    },
    edges: line('incoming', 'wait', 'post'),
  });
  const began = performance.now();
  let left = runs;
  const sender = async (): Promise<void> => {
    while (left > 0) {
      const id = `wait-${serial++}-${left--}`;
      await ours.deliver(id, JSON.stringify({ id }), flow);
    }
  };
  await Promise.all(Array.from({ length: 32 }, sender));
  await until(
    `${runs} runs to wait`,
    async () => {
      const { rows } = await ours.up.owner.query<{ count: number }>(
        `select count(*)::int as count from runs where flow_id = $1 and status = 'waiting'`,
        [flow.id],
      );
      return rows[0]?.count === runs;
    },
    { withinMs: 600_000 },
  );
  const waiting = performance.now();
  const collected = loopback.collect(runs, 600_000);
  await client.call('POST', `/api/records/vendor_invoice/${invoice}/status`, { to: 'approved' });
  const times = await collected;
  return { waitMs: (waiting - began) / runs, wakeMs: (Math.max(...times.values()) - waiting) / runs };
}
