import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from '../activities/testing.ts';
import { hashToken, isToken, makeLink, readLink, revokeLinks, useLink } from './links.ts';
import { hoursAfter } from './row.ts';
import { ask, decideAs, hire, type AskedRun } from './testing-approval.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await hire(bench, { Ana: 'owner' });
});
afterAll(() => bench.close());

const outside = 'sub@framing.example';
const inCompany = <T>(work: Parameters<typeof bench.database.store.tenant<T>>[1], company = bench.companyId) =>
  bench.database.store.tenant(company, work);
const now = () => bench.deps.now();

async function seatOf(
  task: AskedRun,
  email = outside,
): Promise<{ companyId: string; approvalId: string; seatId: string }> {
  const [row] = await bench.database.asOwner<{ id: string }>(
    'select id from approval_seats where approval_id = $1 and email = $2',
    [task.approvalId, email],
  );
  return { companyId: bench.companyId, approvalId: task.approvalId, seatId: row?.id ?? '' };
}
const link = async (task: AskedRun, at = now()) => {
  const seat = await seatOf(task);
  return await inCompany((tx) => makeLink(tx, seat, 'Ana', at));
};
const read = (token: string, at = now(), company = bench.companyId) =>
  inCompany((tx) => readLink(tx, company, token, at), company).then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  );
const stages = [{ approvers: `${outside}, owner` }];

test('a link is 256 random bits, of which only the hash is kept, and every one is another', async () => {
  const task = await ask(bench, bench.deps, { stages });
  const { token } = await link(task);
  expect(isToken(token)).toBe(true);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect((await link(task)).token).not.toBe(token);
  const rows = await bench.database.asOwner<{ token_hash: Buffer; text: string }>(
    'select token_hash, to_jsonb(approval_links)::text as text from approval_links where approval_id = $1',
    [task.approvalId],
  );
  expect(rows.some(({ token_hash }) => token_hash.equals(hashToken(token)))).toBe(true);
  expect(rows.map(({ text }) => text).join()).not.toContain(token);
  const [mail] = await bench.database.asOwner<{ text: string }>(
    `select string_agg(to_jsonb(mail_outbox)::text, '') as text from mail_outbox`,
  );
  expect(mail?.text).not.toContain(token);
});

test('a newer link, or withdrawing it, makes one worthless; so do its age and its use', async () => {
  const task = await ask(bench, bench.deps, { stages });
  const first = await link(task);
  const second = await link(task);
  expect([await read(first.token), await read(second.token)]).toEqual(['link_revoked', 'ok']);
  expect(await read(second.token, hoursAfter(now(), 14 * 24))).toBe('link_expired');
  const seat = await seatOf(task);
  expect(await inCompany((tx) => revokeLinks(tx, seat, 'Ana', now()))).toBe(1);
  expect(await read(second.token)).toBe('link_revoked');
  const third = await link(task);
  await inCompany((tx) => useLink(tx, bench.companyId, third.token, now()));
  expect(await read(third.token)).toBe('link_used');
  await expect(inCompany((tx) => useLink(tx, bench.companyId, third.token, now()))).rejects.toMatchObject({
    code: 'link_used',
  });
});

test('a link ends with its approval when that ends sooner', async () => {
  const task = await ask(bench, bench.deps, { stages, expiresAfterHours: 2 });
  const { token, expiresAt } = await link(task);
  expect(expiresAt).toEqual(hoursAfter(now(), 2));
  expect(await read(token, hoursAfter(now(), 2))).toBe('link_expired');
});

test('a link of one company leads nowhere in another, and no guess leads anywhere', async () => {
  const { token } = await link(await ask(bench, bench.deps, { stages }));
  const other = await bench.database.company('Outside Builders');
  expect(await read(token, now(), other)).toBe('not_found');
  expect(await read(`${token.slice(0, -2)}AA`)).toBe('not_found');
  for (const guess of ['', 'x', `${token}=`, `${token}A`, '../tasks', token.slice(1)])
    expect(isToken(guess)).toBe(false);
});

test('nobody of the company gets a link, nor anybody who is not asked any more', async () => {
  const task = await ask(bench, bench.deps, { stages });
  const [member] = await bench.database.asOwner<{ email: string }>(
    'select email from approval_seats where approval_id = $1 and user_id is not null',
    [task.approvalId],
  );
  const own = await seatOf(task, member?.email ?? '');
  await expect(inCompany((tx) => makeLink(tx, own, 'Ana', now()))).rejects.toMatchObject({ code: 'invalid_input' });
  expect(await decideAs(bench, bench.deps, task, 'Ana', 'approved')).toBe('ok');
  await expect(link(task)).rejects.toMatchObject({ code: 'approval_over' });
});
