import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@plumbline/db/embedded';
import type { FlowDetail, Page, RunDetail, RunSummary } from '@plumbline/engine/contract';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { Secrets } from '@plumbline/engine/start/secrets';
import { Service } from '@plumbline/engine/start/supervise';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { askTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
});

const ended = async (id: string) =>
  await until('the run to end', async () => {
    const run = await client.call<RunDetail>('GET', `/api/runs/${id}`);
    return run.finishedAt !== null && run;
  });

describe('the way from a run to Temporal', () => {
  let run: RunDetail;
  beforeAll(async () => {
    const flow = await publishWebhookFlow(client, 'Linked', {
      params: {},
      connections: {},
      nodes: { incoming: node('core.webhook', 'In'), take: node('core.map', 'Take', { value: '=trigger.body.n' }) },
      edges: line('incoming', 'take'),
    });
    await flow.post('linked', { n: 1 });
    const { id } = await until('the run', async () => {
      const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
      return items[0];
    });
    run = await ended(id);
  });

  test('names the namespace and the workflow that carried it, which is there', async () => {
    const { pathname, origin, search, hash } = new URL(run.temporalUrl ?? '');
    expect(origin).toBe(up.platform.temporalUi);
    expect([search, hash]).toEqual(['', '']);
    const [, namespace, workflowId] = /^\/namespaces\/([^/]+)\/workflows\/([^/]+)$/.exec(pathname) ?? [];
    expect(namespace).toBe('default');
    const { rows } = await up.owner.query<{ id: string }>(
      `select company_id || '/carrier/' || carrier_id as id from runs where id = $1`,
      [run.id],
    );
    expect(decodeURIComponent(workflowId ?? '')).toBe(rows[0]?.id);
    const found = await askTemporal(up, (workflow) =>
      until('the carrier to end', async () => {
        const described = await workflow.getHandle(rows[0]?.id ?? '').describe();
        return described.status.name !== 'RUNNING' && described;
      }),
    );
    expect(found).toMatchObject({ workflowId: rows[0]?.id, status: { name: 'COMPLETED' } });
  });

  test('is an address of Temporal’s own pages, which show that workflow', async () => {
    const page = await fetch(run.temporalUrl ?? '');
    expect(page.headers.get('content-type')).toMatch(/text\/html/);
    expect(page.status).toBe(200);
    // What the pages ask for themselves.
    const { origin, pathname } = new URL(run.temporalUrl ?? '');
    const answer = await fetch(`${origin}/api/v1${pathname}`);
    const { workflowExecutionInfo } = (await answer.json()) as {
      readonly workflowExecutionInfo?: { readonly execution: { readonly workflowId: string } };
    };
    expect(workflowExecutionInfo?.execution.workflowId).toMatch(new RegExp(`/carrier/${run.carrierId}$`));
  });

  test('is none where nobody said where Temporal’s pages are', async () => {
    const secrets = JSON.parse(await readFile(join(up.platform.dataDir, 'secrets.json'), 'utf8')) as Secrets;
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const { PLUMBLINE_TEMPORAL_UI: _, ...inherited } = process.env;
    const api = new Service({
      name: 'api-without-pages',
      entry: new URL('../../engine/src/server-main.ts', import.meta.url),
      log: join(up.platform.dataDir, 'logs', 'api-without-pages.log'),
      environment: {
        ...inherited,
        PLUMBLINE_LOG_LEVEL: 'warn',
        PLUMBLINE_PORT: String(port),
        PLUMBLINE_ORIGIN: origin,
        PLUMBLINE_APP_DATABASE_URL: up.roleUrl('app'),
        PLUMBLINE_DISPATCHER_DATABASE_URL: up.roleUrl('dispatcher'),
        PLUMBLINE_AUTH_DATABASE_URL: up.roleUrl('auth'),
        PLUMBLINE_SESSION_SECRET: secrets.sessionSecret,
        PLUMBLINE_MASTER_KEYS: secrets.masterKeys,
        PLUMBLINE_SANDBOXES: 'false',
        PLUMBLINE_DEMO: 'true',
        TEMPORAL_ADDRESS: up.platform.temporal.address,
      },
    });
    await api.start();
    try {
      const there = new StudioClient(origin);
      await there.call('POST', '/api/session/demo');
      const same = await there.call<RunDetail>('GET', `/api/runs/${run.id}`);
      expect(same).toEqual({ ...run, temporalUrl: null });
    } finally {
      await api.stop();
    }
  });
});

describe('a drawing that is tried out', () => {
  interface Message {
    readonly text: string;
  }
  /** Texts in the channels of Slack's double. */
  const messages = async (): Promise<string[]> => {
    const { rows } = await up.owner.query<{ messages: Readonly<Record<string, readonly Message[]>> }>(
      `select state -> 'messages' as messages from sandbox_states where connector = 'slack'`,
    );
    return Object.values(rows[0]?.messages ?? {}).flatMap((channel) => channel.map(({ text }) => text));
  };
  const tried = async (flow: FlowDetail, document: FlowDocument, text: string) => {
    const { runId } = await client.call<{ runId: string }>('POST', `/api/flows/${flow.id}/tests`, {
      document,
      trigger: { output: { body: { text } } },
    });
    const run = await ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', test: true });
    return run.steps.find(({ nodeId }) => nodeId === 'tell');
  };

  test('writes to an account of a sandbox, and to a live one it only makes up what would come of it', async () => {
    const connection = await client.connectSandbox('slack');
    const [channel] = await client.call<{ value: string }[]>(
      'GET',
      `/api/connections/${connection.id}/options/channels`,
    );
    const { id } = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Tells the team' });
    const flow = await client.call<FlowDetail>('GET', `/api/flows/${id}`);
    const document: FlowDocument = {
      ...{ schema: 1, positions: {}, params: {} },
      connections: { slack: { id: connection.id, connector: 'slack', title: 'Slack' } },
      nodes: {
        incoming: node('core.webhook', 'In'),
        tell: node(
          'slack.send-message',
          'Tell',
          { channel: channel?.value, text: '=trigger.body.text' },
          { connection: 'slack' },
        ),
      },
      edges: line('incoming', 'tell'),
    };

    const real = await tried(flow, document, 'Said in the sandbox');
    expect(real?.simulated ?? false).toBe(false);
    expect(real?.output).toMatchObject({ channel: channel?.value });
    await until('the message', async () => (await messages()).includes('Said in the sandbox'));
    expect((await messages()).filter((text) => text === 'Said in the sandbox')).toHaveLength(1);

    await up.owner.query(`update integrations set environment = 'live' where id = $1`, [connection.id]);
    const madeUp = await tried(flow, document, 'Said in earnest');
    expect(madeUp).toMatchObject({ simulated: true, input: { text: 'Said in earnest' } });
    expect(madeUp?.output).toMatchObject({ channel: expect.any(String) as unknown, ts: expect.any(String) as unknown });

    // Whatever was written later is there, so what was to be written before would be as well.
    await up.owner.query(`update integrations set environment = 'sandbox' where id = $1`, [connection.id]);
    await tried(flow, document, 'Said again in the sandbox');
    await until('the message', async () => (await messages()).includes('Said again in the sandbox'));
    expect(await messages()).not.toContain('Said in earnest');
  });
});
