import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { line, node, publishWebhookFlow, type WebhookFlow } from './webhook-flow.ts';

/** What one errand asks of its vendor. */
export const ERRAND = { writes: 5, requests: 8 } as const;

/**
 * Publishes the flow every fault is tried on: three reads, five writes, a branch and a sleep, in a row. Its webhook's body names the errand as `id`.
 */
export async function publishErrand(
  client: StudioClient,
  vendor: string,
  options: { readonly name?: string; readonly sleepMs?: number } = {},
): Promise<WebhookFlow> {
  const { name = 'Errand', sleepMs = 500 } = options;
  // Many short tries: what is tested is that they end well, not that they end soon.
  const patient = { retry: { attempts: 20, initialSeconds: 0.5 } };
  const read = (n: number) =>
    node(
      'core.http-request',
      `Read ${n}`,
      { method: 'GET', url: `="${vendor}/read/${n}?id=" & trigger.body.id` },
      patient,
    );
  const write = (n: number) =>
    node(
      'core.http-request',
      `Write ${n}`,
      { method: 'POST', url: `${vendor}/write/${n}`, body: '={"id": trigger.body.id}', honoursKey: true },
      patient,
    );
  return await publishWebhookFlow(client, name, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      read1: read(1),
      write1: write(1),
      read2: read(2),
      write2: write(2),
      branch: node('core.if', 'Whether', { condition: '=trigger.body.id != "none"' }),
      write3: write(3),
      sleep: node('core.wait', 'Sleep', { until: `=$fromMillis($millis() + ${sleepMs})` }),
      read3: read(3),
      write4: write(4),
      write5: write(5),
    },
    edges: [
      ...line('incoming', 'read1', 'write1', 'read2', 'write2', 'branch'),
      { id: 'branch:then:write3', from: 'branch', port: 'then', to: 'write3' },
      ...line('write3', 'sleep', 'read3', 'write4', 'write5'),
    ],
  });
}
