import { openDispatcherStore, openStore, type DispatcherStore, type Store } from '@plumbline/db';
import { readLink } from '@plumbline/workflows/approvals/links';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBench, type Bench } from '../../../workflows/src/activities/testing.ts';
import { addressOf, ask, decideAs, hire, type AskedRun } from '../../../workflows/src/approvals/testing-approval.ts';
import { sendDueMails } from './mailer.ts';
import { openPostOffice, type PostOffice } from './post-office.ts';
import { says, startMailServer, textOf, tokenIn, type MailServer, type ReceivedMail } from './testing.ts';

const ORIGIN = 'https://plumbline.example.com';
/** So many API processes, each with connections of its own. */
const PROCESSES = 4;

let mail: MailServer;
let bench: Bench;
let office: PostOffice;
let processes: { readonly store: Store; readonly dispatcher: DispatcherStore }[];
let minutes = 0;

beforeAll(async () => {
  bench = await openBench();
  await hire(bench, { Ana: 'owner', Ben: 'builder' });
  const { app, dispatcher } = bench.database.urls;
  processes = Array.from({ length: PROCESSES }, () => ({
    store: openStore(app, { max: 2 }),
    dispatcher: openDispatcherStore(dispatcher),
  }));
  mail = await startMailServer();
  office = openPostOffice({ url: mail.url, from: 'Plumbline <no-reply@plumbline.example.com>' });
});
beforeEach(async () => {
  mail.answers = {};
  mail.received.length = 0;
  minutes = 0;
  await bench.database.asOwner('delete from notifications');
  await bench.database.asOwner('delete from mail_outbox');
});
afterAll(async () => {
  office.close();
  await mail.close();
  await Promise.all(
    processes.map(async ({ store, dispatcher }) => await Promise.all([store.close(), dispatcher.close()])),
  );
  await bench.close();
});

/** All processes look at once. @returns how many mails they handed over. */
async function look(by: PostOffice = office): Promise<number> {
  const log = pino({ level: 'silent' });
  const now = () => new Date(bench.deps.now().getTime() + minutes * 60_000);
  const sent = await Promise.all(
    processes.map(async (own) => await sendDueMails({ ...own, postOffice: by, origin: ORIGIN, log, now })),
  );
  return sent.reduce((sum, count) => sum + count, 0);
}

const mails = async (task: AskedRun) =>
  await bench.database.asOwner<{
    to_email: string;
    sent: boolean;
    dropped: boolean;
    problem: string | null;
    attempts: number;
  }>(
    `select to_email, sent_at is not null as sent, dropped_at is not null as dropped, problem, attempts
       from mail_outbox where approval_id = $1 order by created_at, to_email`,
    [task.approvalId],
  );
const messageId = ({ raw }: ReceivedMail): string => /^Message-ID: (.+)$/im.exec(raw)?.[1]?.trim() ?? '';
const outside = 'lou@elsewhere.example';

test('somebody outside gets a link of their own that works, a colleague the way to the task, each once, whoever looks', async () => {
  const task = await ask(bench, bench.deps, {
    text: 'Framing, lot 7.',
    amount: '12450.5',
    facts: [{ label: 'Vendor', value: 'Elm & Sons' }],
    stages: [{ approvers: `${addressOf(bench, 'Ben')}, ${outside}`, need: 'all' }],
  });
  expect(await look()).toBe(2);
  expect(await look()).toBe(0);
  expect(mail.received.map(({ to }) => to).sort()).toEqual([[addressOf(bench, 'Ben')], [outside]].sort());
  const toLou = mail.received.find(({ to }) => to[0] === outside) as ReceivedMail;
  expect(textOf(toLou)).toContain('Framing, lot 7.');
  expect(textOf(toLou)).toContain('Amount: $12,450.50\nVendor: Elm & Sons');
  expect(textOf(toLou)).toContain('Elm &amp; Sons</td>');
  expect(toLou.raw).toMatch(/^Subject: Your decision: Pay INV-7\?$/im);
  expect(toLou.raw).toMatch(/^Auto-Submitted: auto-generated$/im);
  const opened = await bench.database.store.tenant(bench.companyId, (tx) =>
    readLink(tx, bench.companyId, tokenIn(toLou), bench.deps.now()),
  );
  expect(opened.approvalId).toBe(task.approvalId);
  const toBen = mail.received.find(({ to }) => to[0] !== outside) as ReceivedMail;
  expect(textOf(toBen)).toContain(`${ORIGIN}/tasks/${task.approvalId}`);
  expect(tokenIn(toBen)).toBe('');
  expect((await mails(task)).every(({ sent, attempts }) => sent && attempts === 1)).toBe(true);
});

test('what the server does not take now is tried again, later each time', async () => {
  mail.answers.letter = () => says(451, 'Try again later');
  const task = await ask(bench, bench.deps, { stages: [{ approvers: addressOf(bench, 'Ben') }] });
  expect(await look()).toBe(0);
  expect(await mails(task)).toMatchObject([{ sent: false, dropped: false, attempts: 1 }]);
  expect((await mails(task))[0]?.problem).toContain('Try again later');
  minutes = 0.9;
  await look();
  expect(await mails(task)).toMatchObject([{ attempts: 1 }]);
  minutes = 1;
  await look();
  minutes = 2.9;
  await look();
  expect(await mails(task)).toMatchObject([{ attempts: 2 }]);
  mail.answers = {};
  minutes = 3;
  expect(await look()).toBe(1);
  expect(await mails(task)).toMatchObject([{ sent: true, problem: null, attempts: 3 }]);
  expect(mail.received).toHaveLength(1);
});

test('an address that nobody has is not tried again, and people are told who was not reached', async () => {
  mail.answers.recipient = (address) => (address === outside ? says(550, 'No such user') : null);
  const task = await ask(bench, bench.deps, { stages: [{ approvers: `${outside}, ${addressOf(bench, 'Ben')}` }] });
  expect(await look()).toBe(1);
  minutes = 10_000;
  expect(await look()).toBe(0);
  const lost = (await mails(task)).find(({ to_email: to }) => to === outside);
  expect(lost).toMatchObject({ sent: false, dropped: true, attempts: 1 });
  const notices = await bench.database.asOwner<{ title: string; body: string; approval_id: string }>(
    `select title, body, approval_id from notifications where key like 'mail:%'`,
  );
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatchObject({ approval_id: task.approvalId });
  expect(notices[0]?.title).toContain('did not get through');
  expect(notices[0]?.body).toContain('No such user');
});

test('what no server takes for three days is dropped and told', async () => {
  mail.answers.letter = () => says(421, 'Too busy');
  const task = await ask(bench, bench.deps, { stages: [{ approvers: addressOf(bench, 'Ben') }] });
  for (minutes = 0; minutes <= 73 * 60; minutes += 60) await look();
  expect(await mails(task)).toMatchObject([{ sent: false, dropped: true }]);
  expect(await bench.database.asOwner(`select 1 from notifications where key like 'mail:%'`)).toHaveLength(1);
});

test.each([
  ['our sender', { sender: () => says(553, 'Sender address not owned by user') }],
  ['our right to relay', { recipient: () => says(554, '5.7.1 Relay access denied') }],
  ['us, for not signing in', { sender: () => says(530, 'Authentication required') }],
])('what the server says against %s drops nothing: it may be put right', async (_, answers) => {
  mail.answers = answers;
  const task = await ask(bench, bench.deps, { stages: [{ approvers: outside }] });
  expect(await look()).toBe(0);
  expect(await mails(task)).toMatchObject([{ dropped: false, attempts: 1 }]);
  mail.answers = {};
  minutes = 1;
  expect(await look()).toBe(1);
});

test('of what waited for a mail server only the newest is sent to each', async () => {
  const task = await ask(bench, bench.deps, { stages: [{ approvers: `${outside}, ${addressOf(bench, 'Ben')}` }] });
  await bench.database.asOwner(
    `insert into mail_outbox (company_id, key, to_email, to_name, subject, body, approval_id, seat_id, created_at, next_attempt_at)
     select company_id, key || ':again', to_email, to_name, 'Still waits', body, approval_id, seat_id, created_at + interval '1 day', next_attempt_at
       from mail_outbox where approval_id = $1`,
    [task.approvalId],
  );
  minutes = 10 * 24 * 60;
  expect(await look()).toBe(2);
  expect(mail.received.map(({ raw }) => /^Subject: (.*)$/im.exec(raw)?.[1]?.trim())).toEqual([
    'Still waits',
    'Still waits',
  ]);
});

test('to somebody whose link was withdrawn no mail brings another', async () => {
  const task = await ask(bench, bench.deps, { stages: [{ approvers: outside }] });
  expect(await look()).toBe(1);
  await bench.database.asOwner('update approval_links set revoked_at = now() where approval_id = $1', [
    task.approvalId,
  ]);
  await bench.database.asOwner(
    `update mail_outbox set sent_at = null, next_attempt_at = created_at where approval_id = $1`,
    [task.approvalId],
  );
  expect(await look()).toBe(0);
  expect(await mails(task)).toMatchObject([{ dropped: true, problem: null }]);
});

test('nobody is asked by mail what is decided, or withdrawn', async () => {
  const decided = await ask(bench, bench.deps, { stages: [{ approvers: `${addressOf(bench, 'Ben')}, ${outside}` }] });
  expect(await decideAs(bench, bench.deps, decided, 'Ben', 'approved')).toBe('ok');
  const withdrawn = await ask(bench, bench.deps, { stages: [{ approvers: outside }] });
  await bench.database.asOwner(`update approvals set status = 'withdrawn', closed_at = now() where id = $1`, [
    withdrawn.approvalId,
  ]);
  expect(await look()).toBe(0);
  expect(mail.received).toEqual([]);
  for (const task of [decided, withdrawn])
    expect((await mails(task)).every(({ dropped, problem }) => dropped && problem === null)).toBe(true);
});

test('whoever dies between handing over and writing it down has it sent again, as the same message, and both links work', async () => {
  const task = await ask(bench, bench.deps, { stages: [{ approvers: outside }] });
  const dying: PostOffice = {
    send: async (letter) => {
      await office.send(letter);
      // Never comes back.
      await new Promise(() => undefined);
    },
    close: () => undefined,
  };
  const [own] = processes;
  if (!own) throw new Error('There is no process');
  void sendDueMails({
    ...{ ...own, postOffice: dying, origin: ORIGIN, log: pino({ level: 'silent' }), now: bench.deps.now },
  });
  await expect.poll(() => mail.received.length, { timeout: 10_000 }).toBe(1);
  minutes = 29.9;
  expect(await look()).toBe(0);
  minutes = 30;
  expect(await look()).toBe(1);
  expect(new Set(mail.received.map(messageId)).size).toBe(1);
  const tokens = mail.received.map(tokenIn);
  expect(new Set(tokens).size).toBe(2);
  for (const token of tokens) {
    const opened = await bench.database.store.tenant(bench.companyId, (tx) =>
      readLink(tx, bench.companyId, token, bench.deps.now()),
    );
    expect(opened.approvalId).toBe(task.approvalId);
  }
});

test('a title cannot smuggle in recipients, nor markup', async () => {
  await ask(bench, bench.deps, {
    title: 'Pay\r\nBcc: everybody@elsewhere.example\r\n\r\n<img src=x>',
    text: '<script>alert(1)</script>',
    stages: [{ approvers: outside }],
  });
  expect(await look()).toBe(1);
  const [letter] = mail.received as [ReceivedMail];
  expect(letter.to).toEqual([outside]);
  const [headers = ''] = letter.raw.split('\r\n\r\n');
  expect(headers).toMatch(/^Subject: Your decision: Pay Bcc: everybody@elsewhere/im);
  expect(headers).not.toMatch(/^Bcc:/im);
  const html = textOf(letter).split('text/html')[1] ?? '';
  expect(html).not.toMatch(/<(script|img)/);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});
