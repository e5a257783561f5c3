import { openDispatcherStore, openStore } from '@plumbline/db';
import type { FlowDetail, Notice, Page, RunDetail, RunSummary, TriggerInfo } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { fireDueSchedules } from '@plumbline/engine/dispatch/scheduler';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
let flow: FlowDetail;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  flow = await publishFlow(client, 'Monday report', {
    params: {},
    connections: {},
    nodes: {
      monday: node('core.schedule', 'Monday at seven', { cron: '0 7 * * 1', timeZone: 'America/Denver' }),
      note: node('core.notify', 'Note', { title: '="Report of " & trigger.scheduledAt', body: 'Ready.' }),
    },
    edges: line('monday', 'note'),
  });
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const nextFireAt = async (): Promise<Date> => {
  const { rows } = await up.owner.query<{ next_fire_at: Date }>(
    'select next_fire_at from subscriptions where flow_id = $1',
    [flow.id],
  );
  return rows[0]?.next_fire_at ?? new Date(0);
};
const runs = async (): Promise<readonly RunSummary[]> =>
  (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`)).items;

test('shows its next five times, in the zone it was given', async () => {
  const [trigger] = await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`);
  expect(trigger?.nextFireTimes).toHaveLength(5);
  const local = new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/Denver',
    weekday: 'short',
    hour: 'numeric',
    hourCycle: 'h23',
  });
  for (const time of trigger?.nextFireTimes ?? []) expect(local.format(new Date(time))).toBe('Mon, 07');
  expect(await nextFireAt()).toEqual(new Date(trigger?.nextFireTimes?.[0] ?? 0));
  expect(trigger?.schedule).toEqual({ words: 'At 7:00 AM, only on Monday', timeZone: 'America/Denver' });
});

test('publishing again leaves its time alone; other times are reckoned anew', async () => {
  const before = await nextFireAt();
  const draft = await client.call<FlowDetail>('GET', `/api/flows/${flow.id}`);
  await client.call('POST', `/api/flows/${flow.id}/publish`, {});
  expect(await nextFireAt()).toEqual(before);
  const monday = node('core.schedule', 'Monday at eight', { cron: '0 8 * * 1', timeZone: 'America/Denver' });
  const document = { ...draft.draft, nodes: { ...draft.draft.nodes, monday } };
  await client.call(
    'PUT',
    `/api/flows/${flow.id}/draft`,
    { name: flow.name, document },
    { 'If-Match': `"${draft.revision}"` },
  );
  await client.call('POST', `/api/flows/${flow.id}/publish`, {});
  expect((await nextFireAt()).getTime() - before.getTime()).toBe(3_600_000);
});

test('what came due while nothing ran starts one run, however many processes look', async () => {
  await up.owner.query(`update subscriptions set next_fire_at = now() - interval '3 weeks' where flow_id = $1`, [
    flow.id,
  ]);
  const store = openStore(up.roleUrl('app'));
  const dispatcher = openDispatcherStore(up.roleUrl('dispatcher'));
  const options = { store, dispatcher, log: pino({ level: 'silent' }), now: () => new Date() };
  await Promise.all(Array.from({ length: 5 }, () => fireDueSchedules(options)));
  await store.close();
  await dispatcher.close();
  const [run] = await until('the run to end', async () => {
    const found = await runs();
    return found.length > 0 && found.every(({ status }) => status === 'succeeded') && found;
  });
  expect(await runs()).toHaveLength(1);
  const detail = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
  expect(detail.event).toMatchObject({
    kind: 'schedule',
    data: { scheduledAt: expect.stringMatching(/T1[45]:00:00.000Z$/) },
  });
  const notices = await client.call<Notice[]>('GET', '/api/notifications');
  expect(notices.find(({ title }) => title.startsWith('"Monday report" missed'))?.severity).toBe('warning');
  expect((await nextFireAt()).getTime()).toBeGreaterThan(Date.now());
});

test('switched off it starts nothing and keeps its times', async () => {
  await client.call('POST', `/api/flows/${flow.id}/switch`, { on: false });
  await up.owner.query(`update subscriptions set next_fire_at = now() - interval '1 minute' where flow_id = $1`, [
    flow.id,
  ]);
  await until('the time to have passed', async () => (await nextFireAt()).getTime() > Date.now());
  expect(await runs()).toHaveLength(1);
  const { rows } = await up.owner.query(`select 1 from events where kind = 'schedule' and status = 'pending'`);
  expect(rows).toEqual([]);
});

test('times that are none stop the publishing, in words', async () => {
  const answer = await client
    .call('GET', '/api/me')
    .then(() =>
      publishFlow(client, 'Never', {
        params: {},
        connections: {},
        nodes: {
          never: node('core.schedule', 'Never', { cron: '0 7 31 2 *' }),
          map: node('core.map', 'M', { value: {} }),
        },
        edges: line('never', 'map'),
      }),
    )
    .catch((error: unknown) => String(error));
  expect(answer).toMatch(/never comes.*flow_invalid/s);
});
