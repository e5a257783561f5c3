import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PlanMapping, PlanStep } from '../flow/plan.ts';
import { createActivities } from './index.ts';
import type { Activities } from './contract.ts';
import type { BenchAttempt } from './testing.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
let activities: Activities;
let quickbooks: Awaited<ReturnType<Bench['connect']>>;
let slack: Awaited<ReturnType<Bench['connect']>>;
beforeAll(async () => {
  bench = await openBench();
  activities = createActivities(bench.deps);
  quickbooks = await bench.connect('quickbooks');
  slack = await bench.connect('slack');
});
afterEach(() => {
  bench.requests.length = 0;
  bench.intercept = undefined;
});
afterAll(() => bench.close());

const literal = (value: unknown): PlanMapping => ({ kind: 'literal', value });
const expression = (source: string, ...reads: string[]): PlanMapping => ({ kind: 'expression', source, reads });
const step = (type: string, inputs: Record<string, PlanMapping>, connectionId?: string): PlanStep => ({
  type,
  version: 1,
  name: type,
  inputs,
  ...(connectionId ? { connectionId } : {}),
});

const message = (text: PlanMapping) => step('slack.send-message', { channel: literal('C07000002'), text }, slack.id);
const bill = (docNumber: string) =>
  step(
    'quickbooks.create-bill',
    {
      vendorId: literal('45'),
      accountId: literal('28'),
      docNumber: literal(docNumber),
      txnDate: literal('2026-03-02'),
      lines: literal([{ description: 'Rough-in', amount: '1234.10' }]),
    },
    quickbooks.id,
  );

const stepRow = async (input: BenchAttempt) =>
  (
    await bench.database.asOwner<{
      status: string;
      port: string | null;
      attempt: number;
      output: unknown;
      input: unknown;
      error: { kind: string; code: string; message: string; field?: string } | null;
      next_attempt_at: Date | null;
    }>('select * from steps where run_id = $1 and node_id = $2', [input.runId, input.nodeId])
  )[0];
const runRow = async (input: BenchAttempt) =>
  (await bench.database.asOwner<{ status: string }>('select status from runs where id = $1', [input.runId]))[0];
const messagesWith = (text: string) =>
  JSON.stringify((slack.opened.sandbox.snapshot() as { messages: unknown }).messages).split(`"text":"${text}"`).length -
  1;
const billsWith = (number: string) =>
  (
    quickbooks.opened.sandbox.snapshot() as { books: Record<string, { entities: { Bill: { DocNumber: string }[] } }> }
  ).books['4620816365213461000']?.entities.Bill.filter(({ DocNumber }) => DocNumber === number).length;

describe('a step', () => {
  test('maps, calls, records what it sent and got, and says which way to go on', async () => {
    const input = (await bench.begin({ tell: message(expression('"Bill " & trigger.number')) }, { number: 'PE-1' }))(
      'tell',
    );
    expect(await bench.runStep(input)).toEqual({ kind: 'done', port: 'out' });
    expect(await stepRow(input)).toMatchObject({
      status: 'succeeded',
      port: 'out',
      input: { channel: 'C07000002', text: 'Bill PE-1' },
      output: { channel: 'C07000002' },
      error: null,
    });
    expect(messagesWith('Bill PE-1')).toBe(1);
    const [log] = await bench.database.asOwner(
      'select action, direction, status from integration_logs where run_id = $1',
      [input.runId],
    );
    expect(log).toEqual({ action: 'slack.send-message', direction: 'export', status: 'succeeded' });
  });

  test('that is done is not done again, whoever asks', async () => {
    const input = (await bench.begin({ tell: message(literal('once')) }))('tell');
    const { companyId, planHash, runId } = input;
    for (let time = 0; time < 2; time++)
      expect(await activities.advance({ companyId, planHash, runIds: [runId] })).toEqual([
        { runId, ended: true, wakeInMs: null },
      ]);
    expect(messagesWith('once')).toBe(1);
  });

  test('carried out twice at the same time sends one message', async () => {
    const input = (await bench.begin({ tell: message(literal('twice at once')) }))('tell');
    bench.intercept = () => new Promise((resolve) => setTimeout(resolve, 150));
    expect(await Promise.all([bench.runStep(input), bench.runStep(input)])).toEqual([
      { kind: 'done', port: 'out' },
      { kind: 'done', port: 'out' },
    ]);
    expect(messagesWith('twice at once')).toBe(1);
  });

  test('whose message was posted but not answered finds it and goes on', async () => {
    const input = (await bench.begin({ tell: message(literal('lost answer')) }))('tell');
    slack.opened.sandbox.fail({ match: 'chat.postMessage', kind: 'drop_after' });
    expect(await bench.runStep(input)).toEqual({ kind: 'done', port: 'out' });
    expect(messagesWith('lost answer')).toBe(1);
  });

  test('whose message never arrived is tried again', async () => {
    const input = (await bench.begin({ tell: message(literal('never arrived')) }))('tell');
    slack.opened.sandbox.fail({ match: 'chat.postMessage', kind: 'drop_before' });
    expect(await bench.runStep(input)).toEqual({ kind: 'retry', afterMs: 2_000 });
    expect(await stepRow(input)).toMatchObject({ status: 'waiting', attempt: 1 });
    expect(await bench.runStep({ ...input, attempt: 2 })).toEqual({ kind: 'done', port: 'out' });
    expect(messagesWith('never arrived')).toBe(1);
  });

  test.each(['drop_after', 'drop_before'] as const)(
    'whose bill met %s enters it once, whatever it takes',
    async (kind) => {
      const input = (await bench.begin({ enter: bill(kind) }))('enter');
      quickbooks.opened.sandbox.fail({ match: 'POST /sandbox/quickbooks/v3/company/4620816365213461000/bill', kind });
      const first = await bench.runStep(input);
      if (first.kind === 'retry')
        expect(await bench.runStep({ ...input, attempt: 2 })).toEqual({ kind: 'done', port: 'out' });
      else expect(first).toEqual({ kind: 'done', port: 'out' });
      expect(billsWith(kind)).toBe(1);
      expect(
        bench.requests
          .filter(({ method, path }) => method === 'POST' && path.includes('/bill'))
          .every(({ path }) => /requestid=[\w-]{43}(&|$)/.test(path)),
      ).toBe(true);
    },
  );

  test('whose token was revoked refreshes once and goes on', async () => {
    const revoked = await bench.connect('quickbooks', { accessToken: 'revoked-elsewhere' });
    const input = (await bench.begin({ read: step('quickbooks.company-info', {}, revoked.id) }))('read');
    expect(await bench.runStep(input)).toEqual({ kind: 'done', port: 'out' });
    expect(bench.requests.map(({ path }) => path.split('?')[0]?.split('/').at(-2))).toEqual([
      'companyinfo',
      'tokens',
      'companyinfo',
    ]);
    quickbooks = await bench.connect('quickbooks');
  });

  test('whose account refuses for good parks, and the connection says so', async () => {
    const dead = await bench.connect('slack', { accessToken: 'xoxb-revoked' });
    const input = (
      await bench.begin({
        tell: step('slack.send-message', { channel: literal('C07000002'), text: literal('x') }, dead.id),
      })
    )('tell');
    expect(await bench.runStep(input)).toMatchObject({ kind: 'parked', failure: { kind: 'reauthorize' } });
    const [row] = await bench.database.asOwner('select status from integrations where id = $1', [dead.id]);
    expect(row).toEqual({ status: 'needs_reconnect' });
    slack = await bench.connect('slack');
  });

  test.each([
    ['is removed', '018f0000-0000-7000-8000-00000000dead', 'connection_missing'],
    ['was never chosen', undefined, 'connection_missing'],
  ])('whose connection %s parks and names it', async (_name, id, code) => {
    const input = (
      await bench.begin({ tell: step('slack.send-message', { channel: literal('C07000002'), text: literal('x') }, id) })
    )('tell');
    expect(await bench.runStep(input)).toMatchObject({ kind: 'parked', failure: { code } });
  });

  test('whose connection is removed while it sends is recorded all the same', async () => {
    const leaving = await bench.connect('slack');
    const input = (
      await bench.begin({
        tell: step(
          'slack.send-message',
          { channel: literal('C07000002'), text: literal('removed meanwhile') },
          leaving.id,
        ),
      })
    )('tell');
    bench.intercept = async () =>
      void (await bench.database.asOwner('delete from integrations where id = $1', [leaving.id]));
    expect(await bench.runStep(input)).toEqual({ kind: 'done', port: 'out' });
    expect(await stepRow(input)).toMatchObject({ status: 'succeeded' });
    slack = await bench.connect('slack');
  });

  test.each([
    ['nothing for a required field', expression('trigger.missing'), 'required_missing', 'text'],
    ['an infinity', expression('$string(1/0)'), 'number_not_finite', 'text'],
    ['text run as code', expression('$eval("1")'), 'expr_forbidden', 'text'],
    ['a number for text', expression('1 + 1'), 'input_invalid', 'text'],
    ['too much text', literal('x'.repeat(40_001)), 'input_invalid', 'text'],
  ])('that computes %s sends nothing and parks with the field', async (_name, text, code, field) => {
    const input = (await bench.begin({ tell: message(text) }))('tell');
    const outcome = await bench.runStep(input);
    expect(outcome).toMatchObject({ kind: 'parked', failure: { code, field } });
    expect(outcome.kind === 'parked' && outcome.failure.message).not.toContain('undefined');
    expect(bench.requests).toHaveLength(0);
  });

  test.each([
    ['core.wait', 'until', {}, 'required_missing'],
    ['core.debounce', 'key', {}, 'input_invalid'],
    ['core.throttle', 'key', {}, 'input_invalid'],
    ['core.collect', 'key', { item: literal(1) }, 'input_invalid'],
  ])(
    '%s parks when %s is mapped and gives nothing, and takes it for left empty when it is',
    async (type, field, more, code) => {
      const step = (inputs: object) => ({ type, version: 1, name: 'It', inputs: { ...more, ...inputs } }) as never;
      for (const source of ['trigger.missing', '$lookup(trigger, "missing")', 'null', '""']) {
        const input = (await bench.begin({ tell: step({ [field]: expression(source) }) }))('tell');
        expect(await bench.runStep(input)).toMatchObject({ kind: 'parked', failure: { code } });
      }
      const input = (await bench.begin({ tell: step({}) }))('tell');
      expect((await bench.runStep(input)).kind).not.toBe('parked');
    },
  );

  test('waits as long as the vendor asks, and parks when its attempts are used up', async () => {
    const input = (await bench.begin({ tell: message(literal('throttled')) }))('tell');
    slack.opened.sandbox.fail({
      match: 'chat.postMessage',
      kind: 'status',
      status: 429,
      headers: { 'Retry-After': '17' },
      times: 3,
    });
    expect(await bench.runStep(input)).toEqual({ kind: 'retry', afterMs: 17_000 });
    expect((await stepRow(input))?.next_attempt_at?.getTime()).toBe(bench.deps.now().getTime() + 17_000);
    expect(await bench.runStep({ ...input, attempt: 2 })).toMatchObject({ kind: 'retry' });
    expect(await bench.runStep({ ...input, attempt: 3 })).toMatchObject({
      kind: 'parked',
      failure: { kind: 'throttled' },
    });
  });

  test('that goes on by its error way is recorded as failed on that way, and one that stops as failed', async () => {
    const make = await bench.begin({
      tell: step('slack.send-message', { channel: literal('nowhere'), text: literal('x') }, slack.id),
      other: step('slack.send-message', { channel: literal('nowhere'), text: literal('x') }, slack.id),
    });
    expect(await bench.runStep(make('tell', { onError: 'port' }))).toMatchObject({
      kind: 'failed',
      failure: { code: 'channel_not_found' },
    });
    expect(await stepRow(make('tell'))).toMatchObject({
      status: 'failed',
      port: 'error',
      output: { error: { code: 'channel_not_found' } },
    });
    expect(await bench.runStep(make('other', { onError: 'stop' }))).toMatchObject({ kind: 'failed' });
    expect(await stepRow(make('other'))).toMatchObject({ status: 'failed', port: null });
  });

  test('gives one item to a field that takes a list as a list of one', async () => {
    const lines = expression('trigger.lines.{ "description": what, "amount": amount }');
    const enter: PlanStep = { ...bill('one line'), inputs: { ...bill('one line').inputs, lines } };
    const input = (await bench.begin({ enter }, { lines: [{ what: 'Slab', amount: '10.00' }] }))('enter');
    expect(await bench.runStep(input)).toEqual({ kind: 'done', port: 'out' });
    expect((await stepRow(input))?.input).toMatchObject({ lines: [{ description: 'Slab', amount: '10.00' }] });
  });

  test('keeps the token out of everything it records', async () => {
    const rows = await bench.database.asOwner(
      `select to_jsonb(steps)::text as text from steps union all select to_jsonb(effects)::text from effects union all select to_jsonb(integration_logs)::text from integration_logs`,
    );
    const everything = rows.map(({ text }) => String(text)).join('\n');
    expect(everything.length).toBeGreaterThan(1_000);
    for (const token of [slack.opened.connection.accessToken, quickbooks.opened.connection.accessToken])
      expect(everything).not.toContain(token);
  });
});

describe('a decision', () => {
  test('to skip records the output that later steps read', async () => {
    const make = await bench.begin({
      tell: message(expression('trigger.missing')),
      after: message(expression('"after " & steps.tell.ts', 'tell')),
    });
    await bench.runStep(make('tell'));
    const { companyId, runId } = make('tell');
    await activities.settleStep({
      companyId,
      planHash: make('tell').planHash,
      runId,
      nodeId: 'tell',
      iteration: '',
      decision: { action: 'skip', output: { ts: '7' } },
      exclusive: true,
    });
    expect(await stepRow(make('tell'))).toMatchObject({ status: 'succeeded', port: 'out' });
    expect(await bench.runStep(make('after'))).toEqual({ kind: 'done', port: 'out' });
    expect(messagesWith('after 7')).toBe(1);
  });

  test('stands when it is made once more by whoever does not know that it was recorded; another one comes too late', async () => {
    const input = (await bench.begin({ tell: message(expression('trigger.missing')) }))('tell');
    await bench.runStep(input);
    const { companyId, planHash, runId } = input;
    const decide = (decisionId: string) =>
      activities.settleStep({
        ...{ companyId, planHash, runId, nodeId: 'tell', iteration: '' },
        ...{ decision: { action: 'skip', output: {} }, decisionId, exclusive: false },
      });
    const [first, second] = [randomUUID(), randomUUID()];
    expect([await decide(first), await decide(first), await decide(second), await decide(first)]).toEqual([
      ...[true, true, false, true],
    ]);
  });

  test('to abort fails the step', async () => {
    const input = (await bench.begin({ tell: message(expression('trigger.missing')) }))('tell');
    await bench.runStep(input);
    await activities.settleStep({
      companyId: input.companyId,
      planHash: input.planHash,
      runId: input.runId,
      nodeId: 'tell',
      iteration: '',
      decision: { action: 'abort' },
      exclusive: true,
    });
    expect(await stepRow(input)).toMatchObject({ status: 'failed' });
  });
});

describe('the end of a run', () => {
  test('fails what was open, happens once, and lets nothing begin after it', async () => {
    const make = await bench.begin({
      tell: message(expression('trigger.missing')),
      later: message(literal('after the end')),
    });
    const input = make('tell');
    await bench.runStep(input);
    const { companyId, runId, planHash } = input;
    await activities.cancelRun({ companyId, runId });
    expect(await activities.advance({ companyId, planHash, runIds: [runId] })).toMatchObject([{ ended: true }]);
    expect(await bench.runStep(make('later'))).toEqual({ kind: 'gone' });
    expect(messagesWith('after the end')).toBe(0);
    expect(await runRow(input)).toEqual({ status: 'cancelled' });
    const steps = await bench.database.asOwner('select node_id, status from steps where run_id = $1 order by node_id', [
      runId,
    ]);
    expect(steps).toEqual([
      { node_id: 'tell', status: 'failed' },
      { node_id: 'trigger', status: 'succeeded' },
    ]);
  });
});
