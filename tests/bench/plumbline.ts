import { Agent, request } from 'undici';
import { signStandardWebhook } from '@plumbline/nodes';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';
import type { Contender } from './contender.ts';

export interface PlumblineContender extends Contender {
  readonly up: TestPlatform;
  /** Sends the same event again, as a vendor would repeat a delivery; resolves with the time to the answer in ms. */
  deliver(
    id: string,
    body: string,
    endpoint?: { readonly url: string; readonly secret: string },
  ): Promise<{ readonly status: number; readonly ms: number }>;
}

/** Plumbline as `npm start` brings it up, everything on: encryption, ledger, history, row security, commits that wait for the disk. */
export async function plumbline(
  name: string,
  target: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<PlumblineContender> {
  const up = await testPlatform(
    {
      PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: target,
      PLUMBLINE_LOG_LEVEL: 'warn',
      // One sender plays the whole world.
      PLUMBLINE_WEBHOOKS_PER_SECOND: '100000',
      ...environment,
    },
    { fsync: true },
  );
  const client = await up.client();
  const post = (step: number) =>
    node('core.http-request', `POST ${step}`, {
      method: 'POST',
      url: `${target}/${step}`,
      body: '={"id": steps.map.id, "vendor": steps.map.vendor, "total": steps.map.total}',
    });
  const flow = await publishWebhookFlow(client, `Bench ${name}`, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      map: node('core.map', 'Map', {
        value: '={"id": trigger.body.id, "vendor": trigger.body.vendor, "total": $sum(trigger.body.lines.amount)}',
      }),
      one: post(1),
      two: post(2),
      three: post(3),
    },
    edges: line('incoming', 'map', 'one', 'two', 'three'),
  });
  const agent = new Agent({ connections: 64, pipelining: 1 });
  const deliver: PlumblineContender['deliver'] = async (id, body, { url, secret } = flow) => {
    const began = performance.now();
    const headers = signStandardWebhook({
      secret,
      id,
      timestamp: Math.floor(Date.now() / 1_000),
      body: Buffer.from(body),
    });
    const answer = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    await answer.body.dump();
    return { status: answer.statusCode, ms: performance.now() - began };
  };
  return {
    name,
    up,
    deliver,
    send: async (event) => {
      const { status } = await deliver(event.id, JSON.stringify(event));
      if (status !== 200) throw new Error(`The webhook was answered with ${status}`);
    },
    [Symbol.asyncDispose]: async () => {
      await agent.close();
      await up[Symbol.asyncDispose]();
    },
  };
}
