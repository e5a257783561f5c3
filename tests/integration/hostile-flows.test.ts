import { randomBytes } from 'node:crypto';
import { signStandardWebhook } from '@plumbline/nodes';
import type {
  Accounting,
  FlowDetail,
  Page,
  Problem,
  Queue,
  RunDetail,
  RunSummary,
  TaskSummary,
} from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccountsTie } from '../support/ledger.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { askTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type Drawing, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
});

const drawing = (nodes: Drawing['nodes'], ...more: readonly string[]): Drawing => ({
  ...{ params: {}, connections: {} },
  nodes: { incoming: node('core.webhook', 'Delivery'), ...nodes },
  edges: line('incoming', ...Object.keys(nodes), ...more),
});
const flowOf = (id: string) => client.call<FlowDetail>('GET', `/api/flows/${id}`);
const detail = (id: string) => client.call<RunDetail>('GET', `/api/runs/${id}`);
const problemOf = async (answer: Response) => {
  const { code, path, detail: text, findings } = (await answer.json()) as Problem;
  return { status: answer.status, code, path, text, findings };
};
const save = (flow: FlowDetail, draft: unknown) =>
  client.fetch(
    'PUT',
    `/api/flows/${flow.id}/draft`,
    { name: flow.name, document: draft },
    { 'If-Match': `"${flow.revision}"` },
  );
/** The one run of a flow, once it stands so. */
async function standing(flowId: string, ...statuses: readonly string[]): Promise<RunDetail> {
  const { id } = await until(
    `the run to be ${statuses.join(' or ')}`,
    async () => {
      const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`);
      expect(items.length).toBeLessThan(2);
      return items.find(({ status }) => statuses.includes(status));
    },
    // Less than a test may take, so that what never comes is said.
    { withinMs: 50_000 },
  );
  return await detail(id);
}
/** What a run that parks says of the step it parked at. */
async function parkedAt(flowId: string, nodeId: string) {
  const run = await standing(flowId, 'parked');
  return run.steps.find((step) => step.nodeId === nodeId)?.error;
}

describe('a way of retrying that no step may have', () => {
  const retries: readonly (readonly [string, object, string, string, RegExp])[] = [
    ['a thousand million attempts', { attempts: 1e9, initialSeconds: 1 }, 'invalid_input', '.attempts', /\b20\b/],
    ['no attempt at all', { attempts: 0, initialSeconds: 1 }, 'invalid_input', '.attempts', /\b1\b/],
    ['no time in between', { attempts: 3, initialSeconds: 0 }, 'invalid_input', '.initialSeconds', /\b0\.1\b/],
    ['time before the last one', { attempts: 3, initialSeconds: -5 }, 'invalid_input', '.initialSeconds', /\b0\.1\b/],
    ['two hours in between', { attempts: 3, initialSeconds: 7_200 }, 'invalid_input', '.initialSeconds', /\b3600\b/],
    ['less and less time', { attempts: 3, initialSeconds: 1, backoff: 0.5 }, 'unknown_field', '', /"backoff"/],
    ['beyond all numbers', { attempts: JSON.rawJSON('1e309'), initialSeconds: 1 }, 'invalid_input', '.attempts', /\w/],
  ];
  let flow: WebhookFlow;
  beforeAll(async () => {
    flow = await publishWebhookFlow(
      client,
      'Retries',
      drawing({ take: node('core.map', 'Take', { value: '=trigger.body.n' }) }),
    );
  });

  test.each(retries)('%s: refused by name of the field, and nothing is lost', async (_, retry, code, field, limits) => {
    const before = await flowOf(flow.id);
    const draft = { ...before.draft, nodes: { ...before.draft.nodes, take: { ...before.draft.nodes['take'], retry } } };
    const path = `document.nodes.take.retry${field}`;
    for (const answer of [
      await save(before, draft),
      await client.fetch('POST', `/api/flows/${flow.id}/tests`, { document: draft }),
    ])
      expect(await problemOf(answer)).toMatchObject({
        ...{ status: 422, code, path, text: expect.stringMatching(limits) as unknown },
      });
    expect(await flowOf(flow.id)).toEqual(before);
  });

  test('what was live stays so, and a file with such a step brings nothing either', async () => {
    const { text } = await client.call<{ text: string }>('GET', `/api/flows/${flow.id}/export`);
    const hostile = text.replace('"type": "core.map"', '"retry": {"attempts": 1e9, "initialSeconds": 0}, $&');
    expect(hostile).not.toBe(text);
    const flows = async () => (await client.call<Page<FlowDetail>>('GET', '/api/flows')).items.length;
    const before = await flows();
    const { code, findings } = await problemOf(
      await client.fetch('POST', '/api/flows/import', { text: hostile, dryRun: false }),
    );
    expect(code).toBe('flow_invalid');
    expect(findings?.map(({ field, message }) => `${field} ${message}`).join('\n')).toMatch(/\b20\b[^]*\b0\.1\b/);
    expect(await flows()).toBe(before);
    await flow.post('still-live', { n: 7 });
    expect((await standing(flow.id, 'succeeded')).steps.at(-1)).toMatchObject({ nodeId: 'take', output: 7 });
  });
});

describe('a wait that is none', () => {
  const waiting = (amount: unknown, unit = 'days') => drawing({ nap: node('core.wait', 'Nap', { amount, unit }) });
  let drawn = 0;
  const draftOf = async () => {
    drawn += 1;
    const { id } = await client.call<FlowDetail>('POST', '/api/flows', { name: `Waits ${drawn}` });
    return await flowOf(id);
  };

  test.each([
    ['-1', -1],
    ['more than a hundred thousand', 100_001],
    ['what is no number', 'NaN'],
  ])('%s as drawn: goes nowhere near publishing', async (_, amount) => {
    const flow = await draftOf();
    const saved = await save(flow, { schema: 1, positions: {}, ...waiting(amount) });
    expect(saved.status, 'a drawing may be wrong while it is drawn').toBe(200);
    const refusal = await problemOf(await client.fetch('POST', `/api/flows/${flow.id}/publish`, {}));
    expect(refusal).toMatchObject({ status: 422, code: 'flow_invalid' });
    expect(refusal.findings).toContainEqual(
      expect.objectContaining({ severity: 'error', nodeId: 'nap', field: 'amount' }) as unknown,
    );
    expect((await flowOf(flow.id)).publishedVersion).toBeNull();
  });

  test('1e309 as drawn is refused where it is saved, and nothing is lost', async () => {
    const flow = await draftOf();
    const draft = { schema: 1, positions: {}, ...waiting(JSON.rawJSON('1e309')) };
    expect(await problemOf(await save(flow, draft))).toMatchObject({
      ...{ status: 422, code: 'invalid_input', path: expect.stringMatching(/nodes\.nap\.inputs\.amount/) as unknown },
    });
    expect(await flowOf(flow.id)).toEqual(flow);
  });

  test('NaN, which no JSON holds, comes as nothing, and then it waits as long as the step does by itself', async () => {
    const flow = await publishWebhookFlow(client, 'Waits by itself', waiting(Number.NaN, 'hours'));
    await flow.post('by-itself', {});
    const { steps } = await standing(flow.id, 'waiting');
    const { startedAt, nextAttemptAt } = steps.find(({ nodeId }) => nodeId === 'nap') ?? {};
    expect(Date.parse(nextAttemptAt ?? '') - Date.parse(startedAt ?? '')).toBe(3_600_000);
  });

  test('as delivered: 1e309 and NaN are refused at the door', async () => {
    const flow = await publishWebhookFlow(client, 'Door', waiting('=trigger.body.amount'));
    const post = async (text: string) => {
      const body = Buffer.from(text);
      const signed = { secret: flow.secret, id: text.length.toString(), timestamp: Math.floor(Date.now() / 1_000) };
      const headers = { 'Content-Type': 'application/json', ...signStandardWebhook({ ...signed, body }) };
      return await problemOf(await fetch(flow.url, { method: 'POST', headers, body }));
    };
    expect(await post('{"amount": 1e309}')).toMatchObject({ status: 422, code: 'number_not_finite', path: 'amount' });
    expect(await post('{"amount": -1e999}')).toMatchObject({ status: 422, code: 'number_not_finite', path: 'amount' });
    expect(await post('{"amount": NaN}')).toMatchObject({ status: 400, code: 'json_invalid' });
    expect(await post('{"amount": -Infinity}')).toMatchObject({ status: 400, code: 'json_invalid' });
  });

  test.each([
    ['-1', -1, 'input_invalid'],
    ['1e308', 1e308, 'input_invalid'],
    ['text', 'NaN', 'input_invalid'],
    ['nothing', null, 'input_invalid'],
    ['400 days', 400, 'wait_too_long'],
    ['100,000 days', 100_000, 'wait_too_long'],
  ])('%s as delivered parks the step with a code', async (name, amount, code) => {
    const flow = await publishWebhookFlow(client, `Waits for ${name}`, waiting('=trigger.body.amount'));
    await flow.post('too-long', { amount });
    const error = await parkedAt(flow.id, 'nap');
    expect(error).toMatchObject({ kind: 'invalid', code });
    expect(error?.message).toMatch(code === 'wait_too_long' ? /longer than a year/ : /How long/);
  });

  test('what is computed to be no number parks it too', async () => {
    const flow = await publishWebhookFlow(client, 'Divides', waiting('=trigger.body.amount / 0'));
    await flow.post('divided', { amount: 1 });
    expect(await parkedAt(flow.id, 'nap')).toMatchObject({ kind: 'expression', code: 'number_not_finite' });
  });

  test.each(['2199-12-31', '9999-12-31', '2026-12-01T07:00:00', '+275760-09-13T00:00:00Z', 'NaN'])(
    'until %s parks it too',
    async (time) => {
      const flow = await publishWebhookFlow(
        client,
        `Waits until ${time}`,
        drawing({ nap: node('core.wait', 'Nap', { until: '=trigger.body.time' }) }),
      );
      await flow.post('until', { time });
      expect(await parkedAt(flow.id, 'nap')).toMatchObject({
        code: time.startsWith('2199') ? 'wait_too_long' : 'date_invalid',
      });
    },
  );
});

describe('more than fits', () => {
  const TWO_MIB = 2 * 1024 * 1024;
  /** The length and the hash of what a step handed on. */
  const outputOf = async (runId: string, nodeId: string) => {
    const { rows } = await up.owner.query<{ length: number; hash: string }>(
      `select length(output #>> '{}') as length, md5(output #>> '{}') as hash from steps where run_id = $1 and node_id = $2`,
      [runId, nodeId],
    );
    return rows[0];
  };

  test('a delivery of 2 MiB and a byte is refused with the limit, and one of 2 MiB is handed on whole', async () => {
    const flow = await publishWebhookFlow(
      client,
      'Two MiB',
      drawing({
        take: node('core.map', 'Take', { value: '=trigger.body.text' }),
        on: node('core.map', 'Hand on', { value: '=steps.take' }),
      }),
    );
    const body = (bytes: number) => ({ text: 'é'.repeat(bytes / 2 - 6) + 'x'.repeat(bytes % 2) });
    const frame = Buffer.byteLength(JSON.stringify(body(TWO_MIB))) - TWO_MIB;
    expect(await problemOf(await flow.post('over', body(TWO_MIB - frame + 1)))).toMatchObject({
      ...{ status: 413, code: 'payload_too_large', text: expect.stringContaining('2 MiB') as unknown },
    });
    const { text } = body(TWO_MIB - frame);
    expect((await flow.post('just', { text })).status).toBe(200);
    const run = await standing(flow.id, 'succeeded', 'parked', 'failed');
    expect(run.status).toBe('succeeded');
    const { rows } = await up.owner.query<{ hash: string }>('select md5($1) as hash', [text]);
    for (const nodeId of ['take', 'on'])
      expect(await outputOf(run.id, nodeId)).toEqual({ length: text.length, hash: rows[0]?.hash });
  });

  test('what an expression makes of 2 MiB and a byte parks its step with the limit', async () => {
    const flow = await publishWebhookFlow(
      client,
      'Makes much',
      drawing({ make: node('core.map', 'Make', { value: `=$pad("", ${TWO_MIB + 1}, "x")` }) }),
    );
    await flow.post('much', {});
    expect(await parkedAt(flow.id, 'make')).toMatchObject({
      ...{ kind: 'expression', code: 'expr_too_large', message: expect.stringContaining('1 MB') as unknown },
    });
  });

  test('texts that are put together have the same limit as any other expression', async () => {
    const flow = await publishWebhookFlow(
      client,
      'Puts together',
      drawing({ twice: node('core.map', 'Twice', { value: '=trigger.body.text & trigger.body.text' }) }),
    );
    await flow.post('twice', { text: 'x'.repeat(1_100_000) });
    const run = await standing(flow.id, 'succeeded', 'parked', 'failed');
    expect(run.steps.find(({ nodeId }) => nodeId === 'twice')?.error).toMatchObject({ code: 'expr_too_large' });
  });

  test('a hundred steps that hand on 1.9 MB each leave Temporal a kilobyte of each', async () => {
    const STEPS = 100;
    const ids = Array.from({ length: STEPS }, (_, n) => `s${n}`);
    const flow = await publishWebhookFlow(
      client,
      'Carries much',
      drawing(
        Object.fromEntries(
          ids.map((id, n) => [
            id,
            node('core.map', id, { value: n === 0 ? '=trigger.body.text' : `=steps.${ids[n - 1]}` }),
          ]),
        ),
      ),
    );
    const text = randomText(1_900_000);
    await flow.post('carries', { text });
    const run = await until(
      'the run to end',
      async () => {
        const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
        return items.find(({ finishedAt, status }) => finishedAt !== null || status === 'parked');
      },
      { withinMs: 240_000, everyMs: 500 },
    );
    expect(run.status).toBe('succeeded');
    const { rows } = await up.owner.query<{ count: number; whole: number; carrier_id: string; company_id: string }>(
      `select count(*)::int as count, count(*) filter (where output #>> '{}' = $2)::int as whole, runs.carrier_id, runs.company_id
         from steps join runs on runs.company_id = steps.company_id and runs.id = steps.run_id
        where run_id = $1 and node_id <> 'incoming' group by runs.carrier_id, runs.company_id`,
      [run.id, text],
    );
    const [found] = rows;
    expect(found).toMatchObject({ count: STEPS, whole: STEPS });
    const { historySize, historyLength } = await askTemporal(up, (workflow) =>
      workflow.getHandle(carrierWorkflowId(found?.company_id ?? '', found?.carrier_id ?? '')).describe(),
    );
    expect(historyLength, 'a run that Temporal knows of').toBeGreaterThan(0);
    expect(historySize).toBeLessThanOrEqual(STEPS * 1_024);
    await expectAccountsTie(up);
  }, 300_000);
});

describe('a flow that changes while a run of it waits', () => {
  const tail = (text: string) => node('core.map', 'Say', { value: `="${text} " & trigger.body.name` });
  const napping = (text = 'as drawn then') =>
    drawing({ nap: node('core.wait', 'Nap', { amount: 1, unit: 'hours' }), say: tail(text) });
  const asking = () => {
    const title = '="Go on with " & trigger.body.name & "?"';
    const ask = node('core.approval', 'Ask', { title, stages: [{ approvers: 'owner' }] });
    return {
      ...drawing({ ask, say: tail('as drawn then') }),
      edges: [...line('incoming', 'ask'), { id: 'approved', from: 'ask', port: 'approved', to: 'say' }],
    };
  };
  const off = (flow: WebhookFlow) => client.call('POST', `/api/flows/${flow.id}/switch`, { on: false });
  const remove = (flow: WebhookFlow) => client.fetch('DELETE', `/api/flows/${flow.id}`);
  const wake = (run: RunDetail) => client.call('POST', `/api/runs/${run.id}/steps/nap/wake`, {});
  const said = (run: RunDetail) => run.steps.find(({ nodeId }) => nodeId === 'say')?.output;
  const task = async (name: string) =>
    await until('the question', async () => {
      const { items } = await client.call<Page<TaskSummary>>('GET', '/api/tasks?view=open');
      return items.find(({ title }) => title === `Go on with ${name}?`);
    });
  const approve = (id: string) => client.fetch('POST', `/api/tasks/${id}/decide`, { outcome: 'approved' });
  const redraw = async (flow: WebhookFlow, next: Drawing) => {
    const saved = await save(await flowOf(flow.id), { schema: 1, positions: {}, ...next });
    expect(saved.status).toBe(200);
  };

  test('switched off: what is under way goes on as it was drawn, and what comes starts nothing', async () => {
    const flow = await publishWebhookFlow(client, 'Switched off', napping());
    await flow.post('first', { name: 'Ridge' });
    const run = await standing(flow.id, 'waiting');
    await off(flow);
    const before = await client.call<Accounting>('GET', '/api/health/accounting');
    expect((await flow.post('second', { name: 'Summit' })).status, 'it is stored all the same').toBe(200);
    await until('the second to be looked at', async () => {
      const { events } = await client.call<Accounting>('GET', '/api/health/accounting');
      return events.ignored === before.events.ignored + 1;
    });
    await wake(run);
    expect(said(await standing(flow.id, 'succeeded'))).toBe('as drawn then Ridge');
    await expectAccountsTie(up);
  });

  test('published anew, and without the steps that are to come: what is under way has its own plan', async () => {
    const flow = await publishWebhookFlow(client, 'Redrawn', napping());
    await flow.post('redrawn', { name: 'Ridge' });
    const run = await standing(flow.id, 'waiting');
    await redraw(flow, drawing({ other: node('core.map', 'Other', { value: 'something else' }) }));
    await client.call('POST', `/api/flows/${flow.id}/publish`, {});
    const plain = await detail(run.id);
    expect(plain.flowVersion).toBe(1);
    expect(Object.keys(plain.document.nodes).sort()).toEqual(['incoming', 'nap', 'say']);
    await wake(run);
    const ended = await standing(flow.id, 'succeeded');
    expect(said(ended)).toBe('as drawn then Ridge');
    expect(ended.steps.map(({ nodeId }) => nodeId)).not.toContain('other');
    await expectAccountsTie(up);
  });

  test('switched off while it asks people: they may still answer, and it goes on', async () => {
    const flow = await publishWebhookFlow(client, 'Asks on', asking());
    await flow.post('asks', { name: 'Ridge' });
    const { id } = await task('Ridge');
    await off(flow);
    expect((await approve(id)).status).toBe(200);
    expect(said(await standing(flow.id, 'succeeded'))).toBe('as drawn then Ridge');
    await expectAccountsTie(up);
  });

  test('is not removed under a run that waits: it says so, and nothing of it is gone', async () => {
    for (const [name, document] of [
      ['Kept nap', napping()],
      ['Kept question', asking()],
    ] as const) {
      const flow = await publishWebhookFlow(client, name, document);
      await flow.post('kept', { name });
      const run = await standing(flow.id, 'waiting');
      for (const first of [() => undefined, () => off(flow)]) {
        await first();
        const refusal = await problemOf(await remove(flow));
        expect(refusal).toMatchObject({ status: 409, code: 'invalid_transition' });
        expect(refusal.text).toMatch(/have not ended/);
      }
      expect((await detail(run.id)).status).toBe('waiting');
      await client.call('POST', `/api/runs/${run.id}/cancel`);
      await standing(flow.id, 'cancelled');
      const { runs } = await expectAccountsTie(up);
      expect((await remove(flow)).status).toBe(204);
      expect((await client.fetch('GET', `/api/runs/${run.id}`)).status).toBe(404);
      expect((await expectAccountsTie(up)).runs.total).toBe(runs.total - 1);
      await expectCarrierOver(run);
    }
    const open = await client.call<Page<TaskSummary>>('GET', '/api/tasks?view=open');
    expect(open.items.map(({ title }) => title)).not.toContain('Go on with Kept question?');
    const queue = await client.call<Queue>('GET', '/api/queue');
    expect(queue.waiting.map(({ flowName }) => flowName)).not.toContain('Kept nap');
  });

  test('is removed while deliveries come in: each starts a run or none, and none is left in between', async () => {
    for (let round = 0; round < 3; round++) {
      const flow = await publishWebhookFlow(client, `Removed ${round}`, drawing({ say: tail('short') }));
      const posting = Array.from({ length: 40 }, async (_, n) => {
        // One after the other, so that some come before it is gone, some at that moment and some after.
        await new Promise((resolve) => setTimeout(resolve, n * 10));
        return (await flow.post(`race-${round}-${n}`, { name: String(n) })).status;
      });
      const removing = until('the flow to be removed', async () => {
        const { status } = await remove(flow);
        expect([204, 409]).toContain(status);
        return status === 204;
      });
      const statuses = await Promise.all(posting);
      await removing;
      for (const status of statuses) expect([200, 404]).toContain(status);
      expect((await client.fetch('GET', `/api/flows/${flow.id}`)).status).toBe(404);
      await until('nothing to be pending', async () => {
        const { events } = await client.call<Accounting>('GET', '/api/health/accounting');
        return events.pending === 0;
      });
      await expectAccountsTie(up);
    }
    const { rows } = await up.owner.query(
      'select id from runs where not exists (select from flows where flows.company_id = runs.company_id and flows.id = runs.flow_id)',
    );
    expect(rows, 'runs of no flow').toEqual([]);
  });

  async function expectCarrierOver({ carrierId }: RunDetail): Promise<void> {
    const { rows } = await up.owner.query<{ id: string }>('select id from companies');
    const [company] = rows;
    const { status } = await askTemporal(up, (workflow) =>
      until('the carrier to end', async () => {
        const found = await workflow.getHandle(carrierWorkflowId(company?.id ?? '', carrierId)).describe();
        return found.status.name !== 'RUNNING' && found;
      }),
    );
    expect(status.name).toBe('COMPLETED');
  }
});

describe('what no database takes', () => {
  const doubling = (times: number) => {
    const source = (n: number) => (n === 0 ? 'trigger.body.text' : `steps.s${n - 1}`);
    return drawing(
      Object.fromEntries(
        Array.from({ length: times }, (_, n) => [
          `s${n}`,
          node('core.map', `Double ${n}`, { value: `=${source(n)} & ${source(n)}` }),
        ]),
      ),
    );
  };
  const copying = (times: number) => {
    const fields = Array.from({ length: times }, (_, n) => `"k${n}": trigger.body.text`);
    return drawing({ copy: node('core.map', 'Copy', { value: `={${fields.join(', ')}}` }) });
  };
  const collecting = (times: number): Drawing => ({
    ...{ params: {}, connections: {} },
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      each: node('core.for-each', 'Each', { items: `=[1..${times}]`, concurrency: 10 }),
      next: node('core.next-item', 'Next', { value: '=trigger.body.text' }, { parent: 'each' }),
    },
    edges: [...line('incoming', 'each'), { id: 'next', from: 'each', port: 'each', to: 'next' }],
  });

  test.each([
    ['a text that doubles with every step', doubling(8)],
    ['a text that is taken eighty times', copying(80)],
    ['a text that each of many turns of a loop hands on', collecting(160)],
  ])(
    '%s ends with a code that says how much may be, and its neighbour does not wait for it',
    async (name, document) => {
      const flow = await publishWebhookFlow(client, name, document);
      const neighbour = await publishWebhookFlow(
        client,
        `Beside ${name}`,
        drawing({ take: node('core.map', 'Take', { value: '=trigger.body.n' }) }),
      );
      const pids = up.platform.workers.map(({ pid }) => pid);
      await flow.post('much', { text: 'x'.repeat(1_900_000) });
      try {
        await neighbour.post('beside', { n: 1 });
        const run = await standing(flow.id, 'succeeded', 'parked', 'failed');
        expect(run.status).toBe('parked');
        const error = run.steps.find(({ status }) => status === 'parked')?.error;
        expect(error?.code).toMatch(/too_large/);
        expect(error?.message).toMatch(/\d+ (MB|MiB)/);
        const { queuedAt, finishedAt } = await standing(neighbour.id, 'succeeded');
        expect(Date.parse(finishedAt ?? '') - Date.parse(queuedAt)).toBeLessThan(10_000);
        expect(up.platform.workers.map(({ pid }) => pid)).toEqual(pids);
      } finally {
        const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
        for (const { id, finishedAt } of items)
          if (finishedAt === null) await client.call('POST', `/api/runs/${id}/cancel`);
      }
    },
    120_000,
  );
});

/** Text that nothing makes shorter. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}
