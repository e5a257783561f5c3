import type { LinkedQuestion, Notice, Page, RunSummary, TaskDetail, TaskSummary } from '@plumbline/engine/contract';
import {
  says,
  startMailServer,
  textOf,
  tokenIn,
  type MailServer,
  type ReceivedMail,
} from '@plumbline/engine/mail/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

const SUB = 'sub@framing.example';
const GONE = 'gone@framing.example';
let mail: MailServer;
let up: TestPlatform;
let dana: Awaited<ReturnType<TestPlatform['client']>>;

beforeAll(async () => {
  mail = await startMailServer();
  up = await testPlatform(
    { PLUMBLINE_SMTP_URL: mail.url, PLUMBLINE_MAIL_FROM: 'Hartwell <office@hartwell.example>' },
    { apis: 2 },
  );
  dana = await up.client();
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await mail?.close();
});

const asking = async (approvers: string): Promise<WebhookFlow> =>
  await publishWebhookFlow(dana, `Asks ${approvers}`, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      ask: node('core.approval', 'Ask', {
        title: '="Pay " & trigger.body.number & "?"',
        amount: '=trigger.body.total',
        stages: [{ approvers }],
      }),
    },
    edges: [{ id: 'incoming:out:ask', from: 'incoming', port: 'out', to: 'ask' }],
  });

const letterTo = async (address: string): Promise<ReceivedMail> =>
  await until(`a mail to ${address}`, () => Promise.resolve(mail.received.find(({ to }) => to.includes(address))));

async function taskOf(number: string): Promise<TaskDetail> {
  const { id } = await until(`${number} to be asked`, async () => {
    const { items } = await dana.call<Page<TaskSummary>>('GET', '/api/tasks?view=open');
    return items.find(({ title }) => title === `Pay ${number}?`);
  });
  return await dana.call<TaskDetail>('GET', `/api/tasks/${id}`);
}

test('whoever is outside of the company decides by the link in their mail, and the run goes on', async () => {
  const flow = await asking(SUB);
  await flow.post('d1', { number: 'INV-1', total: '1250.00' });
  const letter = await letterTo(SUB);
  expect(letter.raw).toMatch(/^From: Hartwell <office@hartwell\.example>$/im);
  expect(textOf(letter)).toContain('Amount: $1,250.00');
  const { id } = await taskOf('INV-1');
  const sent = await until('the task to say so', async () => {
    const [seat] = (await dana.call<TaskDetail>('GET', `/api/tasks/${id}`)).stages[0]?.seats ?? [];
    return seat?.mail?.state === 'sent' && seat;
  });
  expect(sent).toMatchObject({ email: SUB, mail: { problem: null } });
  const way = `${up.origin}/api/approve/${tokenIn(letter)}`;
  const question = (await (await fetch(way)).json()) as LinkedQuestion;
  expect(question.title).toBe('Pay INV-1?');
  const answer = await fetch(way, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ outcome: 'approved' }),
  });
  expect(answer.status).toBe(204);
  await until('the run to end', async () => {
    const { items } = await dana.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
    return items.length > 0 && items.every(({ status }) => status === 'succeeded');
  });
  // Of two API processes one sent it, once.
  expect(mail.received.filter(({ to }) => to.includes(SUB))).toHaveLength(1);
});

test('whoever cannot be reached is named under the bell, and on the task', async () => {
  mail.answers = { recipient: (address) => (address === GONE ? says(550, 'No such user') : null) };
  const flow = await asking(GONE);
  await flow.post('d2', { number: 'INV-2', total: '10.00' });
  const { id } = await taskOf('INV-2');
  const seat = await until('the task to say so', async () => {
    const [only] = (await dana.call<TaskDetail>('GET', `/api/tasks/${id}`)).stages[0]?.seats ?? [];
    return only?.mail?.state === 'failed' && only;
  });
  expect(seat.mail?.problem).toContain('No such user');
  const notices = await dana.call<Notice[]>('GET', '/api/notifications');
  expect(notices.find(({ title }) => title.includes('did not get through'))?.body).toContain(GONE);
});
