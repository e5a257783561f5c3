import type { FlowDetail, Page, RunDetail, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { Answers } from '@plumbline/engine/ingress/answers';
import { openStore } from '@plumbline/db';
import { respond } from '@plumbline/workflows/activities/respond';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const answering = (
  name: string,
  steps: Readonly<Record<string, ReturnType<typeof node>>>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<WebhookFlow> =>
  publishWebhookFlow(client, name, {
    params: {},
    connections: {},
    nodes: { incoming: node('core.webhook', 'Asked', { answer: 'flow', ...config }), ...steps },
    edges: line('incoming', ...Object.keys(steps)),
  });
const onlyRun = async (flow: WebhookFlow): Promise<RunSummary> =>
  await until('the run', async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
    return items[0];
  });

describe('a webhook that answers when the flow responds', () => {
  test('gives the sender what the flow says: status, headers and body; a repeat gets the first answer', async () => {
    const flow = await answering('Prices', {
      respond: node('core.respond', 'Say the price', {
        status: 201,
        body: '={"lot": trigger.body.lot, "price": "412000.00", "at": $string($millis())}',
        headers: { 'X-Price-List': '2026-11' },
      }),
      after: node('core.notify', 'Goes on', { title: 'Asked for a price' }),
    });
    const first = await flow.post('q-1', { lot: 7 });
    expect([first.status, first.headers.get('x-price-list')]).toEqual([201, '2026-11']);
    expect(first.headers.get('content-security-policy')).toContain('sandbox');
    expect(first.headers.get('set-cookie')).toBeNull();
    const body = await first.text();
    expect(JSON.parse(body)).toMatchObject({ lot: 7, price: '412000.00' });
    const again = await flow.post('q-1', { lot: 7 });
    expect([again.status, await again.text()]).toEqual([201, body]);
    const { id } = await onlyRun(flow);
    await until(
      'the steps after it',
      async () => (await client.call<RunDetail>('GET', `/api/runs/${id}`)).status === 'succeeded',
    );
    const { runId } = await client.call<{ runId: string }>('POST', `/api/runs/${id}/rerun`, { version: 'same' });
    const rerun = await until('the run that repeats it', async () => {
      const found = await client.call<RunDetail>('GET', `/api/runs/${runId}`);
      return found.status === 'succeeded' && found;
    });
    expect(rerun.steps.find(({ nodeId }) => nodeId === 'respond')?.output).toEqual({ status: 201, first: false });
    expect(await (await flow.post('q-1', { lot: 7 })).text()).toBe(body);
  });

  test('may leave that to a flow that it calls', async () => {
    const called = await publishFlow(client, 'Says it', {
      ...{ params: {}, connections: {} },
      nodes: {
        input: node('core.flow-input', 'Input', { fields: [{ id: 'lot', title: 'Lot', required: true }] }),
        respond: node('core.respond', 'Say it', { status: 201, body: '="Lot " & trigger.values.lot' }),
      },
      edges: line('input', 'respond'),
    });
    const flow = await answering('Has it said', {
      call: node('core.call-flow', 'Ask', { flow: called.id, values: '={"lot": trigger.body.lot}' }),
    });
    const answer = await flow.post('called-1', { lot: '7' });
    expect([answer.status, await answer.text()]).toEqual([201, 'Lot 7']);
  });

  test('many at once each get their own', async () => {
    const flow = await answering('Echo', { respond: node('core.respond', 'Echo', { body: '=trigger.body.n' }) });
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => await (await flow.post(`e-${n}`, { n })).text()),
    );
    expect(answers).toEqual(Array.from({ length: 30 }, (_, n) => String(n)));
  });

  test('a flow that says nothing is no reason to wait', async () => {
    const flow = await answering('Silent', { map: node('core.map', 'Only takes', { value: '=trigger.body' }) });
    const { findings } = await client.call<FlowDetail>('GET', `/api/flows/${flow.id}`);
    expect(findings).toMatchObject([{ code: 'answer_missing', severity: 'warning', nodeId: 'incoming' }]);
    const began = performance.now();
    const answer = await flow.post('s-1', {});
    expect(performance.now() - began).toBeLessThan(5_000);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { accepted: true, duplicate: false, runId: (await onlyRun(flow)).id, status: 'succeeded' },
    ]);
  });

  test('nor is one that waits for a person, or is switched off', async () => {
    const flow = await answering('Stuck', {
      respond: node('core.respond', 'Answer', { status: '=trigger.body.status' }),
    });
    const began = performance.now();
    const answer = await flow.post('s-1', { status: 'none' });
    expect([answer.status, await answer.json()]).toMatchObject([202, { status: 'parked' }]);
    await client.call('POST', `/api/flows/${flow.id}/switch`, { on: false });
    expect(await (await flow.post('s-2', {})).json()).toMatchObject({ runId: null, status: 'ignored' });
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  test('one that takes longer than ten seconds is told of by its run', async () => {
    const flow = await answering('Slow', {
      wait: node('core.wait', 'A minute', { amount: 1, unit: 'minutes' }),
      respond: node('core.respond', 'Late', { body: 'late' }),
    });
    const began = performance.now();
    const answer = await flow.post('l-1', {});
    const tookMs = performance.now() - began;
    expect([answer.status, await answer.json()]).toEqual([
      202,
      { accepted: true, duplicate: false, runId: (await onlyRun(flow)).id, status: 'running' },
    ]);
    expect(tookMs).toBeGreaterThan(9_500);
    expect(tookMs).toBeLessThan(13_000);
  });

  test('headers that frame an answer or act on our address are not a flow’s to set', async () => {
    for (const name of ['Set-Cookie', 'Content-Length', 'transfer-encoding', 'Access-Control-Allow-Origin', 'Host']) {
      const flow = await answering(`Forbidden ${name}`, {
        respond: node('core.respond', 'Answer', { headers: { [name]: 'x' } }),
      });
      expect((await flow.post('h-1', {})).status).toBe(202);
      expect((await onlyRun(flow)).error).toMatchObject({ code: 'header_forbidden' });
    }
  });
});

test('whichever API process holds the line is told of an answer that another wrote', async () => {
  const flow = await answering('Elsewhere', { wait: node('core.wait', 'A day', { amount: 1, unit: 'days' }) });
  void flow.post('x-1', {}).catch(() => undefined);
  const { id: run_id } = await onlyRun(flow);
  const { rows } = await up.owner.query<{ event_id: string; company_id: string }>(
    'select event_id, company_id from runs where id = $1',
    [run_id],
  );
  const [{ event_id, company_id } = { event_id: '', company_id: '' }] = rows;
  const store = openStore(up.roleUrl('app'));
  const others = [new Answers(up.roleUrl('app'), store), new Answers(up.roleUrl('app'), store)];
  const told = others.map((other) => other.wait(company_id, event_id, 20_000));
  await respond(store, { companyId: company_id, runId: run_id }, { status: 200, headers: {}, body: 'here' });
  for (const outcome of await Promise.all(told))
    expect(outcome).toMatchObject({ kind: 'answered', answer: { status: 200, body: 'here' } });
  const second = await respond(
    store,
    { companyId: company_id, runId: run_id },
    { status: 500, headers: {}, body: null },
  );
  expect(second).toEqual({ first: false });
  await Promise.all(others.map((other) => other.close()));
  await store.close();
});
