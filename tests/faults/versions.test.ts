import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVault, openStore } from '@plumbline/db';
import type { FlowDetail } from '@plumbline/engine/contract';
import type { Secrets } from '@plumbline/engine/start/secrets';
import { carrierWorkflowId, CompanyCodec } from '@plumbline/workflows/payload-codec';
import { parseMasterKeys } from '@plumbline/workflows/settings';
import proto from '@temporalio/proto';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Recorded } from '../replay/histories.ts';
import { bundle, changedBundle, patchedBuild, sayWhoCarriesOn, waitAfterwards } from '../support/builds.ts';
import { due } from '../support/figures.ts';
import { expectAccountsTie, expectAllOnce, underWay, untilSettled } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { full, report, seed, size } from '../support/profile.ts';
import { openSender } from '../support/sender.ts';
import { askTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
const perSecond = size(6, 15);
const sleepMs = size(2_500, 8_000);
const WRITES = 4;

let up: TestPlatform;
let vendor: MockVendor;
let folder: string;
let builds: Readonly<Record<'first' | 'next' | 'patched' | 'broken', WorkflowBundleWithSourceMap>>;

beforeAll(async () => {
  // What the broken build makes it say is expected.
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
  folder = await mkdtemp(join(tmpdir(), 'plumbline-builds-'));
  builds = {
    first: await bundle(),
    next: await changedBundle(sayWhoCarriesOn('the next build')),
    patched: await changedBundle(patchedBuild('the patched build')),
    broken: await changedBundle(waitAfterwards),
  };
  await put(builds.first);
  vendor = await startMockVendor();
  up = await testPlatform(
    {
      PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin,
      PLUMBLINE_WORKFLOW_BUNDLE: join(folder, 'workflows.js'),
      // Workers say when they are ready.
      PLUMBLINE_LOG_LEVEL: 'info',
    },
    { workers: 2, fsync: true },
  );
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('workers are rolled to the next build and back, and flows are edited: runs under way end as they began', async () => {
  const client = await up.client();
  const flow = await publishWebhookFlow(client, 'Rolled', drawing(1));
  await using sender = openSender(flow, up.platform.origins);
  const deliveries: Promise<void>[] = [];
  let rolling = true;
  const load = (async () => {
    const began = performance.now();
    for (let n = 0; rolling; n++) {
      await due(began + (n * 1_000) / perSecond);
      deliveries.push(sender.deliver(`rolled-${seed}-${n}`));
    }
  })();
  const met: Record<string, number> = {};
  let version = 1;
  try {
    for (const [name, build] of [
      ['next', builds.next],
      ['first again', builds.first],
      ...(full ? [['patched', builds.patched] as const] : []),
    ] as const) {
      // Some runs begin under each build.
      const fresh = sender.acked.size + size(8, 60);
      met[name] = await until('runs to be under way', async () => {
        const count = await underWay(up, flow.id);
        return sender.acked.size > fresh && count >= size(10, 100) && count;
      });
      await roll(build);
      version += 1;
      await edit(flow, version);
    }
  } finally {
    rolling = false;
    await load;
  }
  await Promise.all(deliveries);
  await untilSettled(up, flow.id, sender);

  const histories = await historiesOf(flow);
  const failures = histories.flatMap(({ history }) =>
    (history.events ?? [])
      .filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
      .map(({ workflowTaskFailedEventAttributes: given }) => ({
        cause: WorkflowTaskFailedCause[given?.cause ?? 0],
        message: given?.failure?.message,
      })),
  );
  const codec = await openCodec();
  const broken = await replay(builds.broken, histories.slice(0, size(20, Infinity)), codec);
  await codec.close();
  const said = await workerLogs();
  const mixed = await mixedRuns(flow);
  report('R15', {
    runs: sender.acked.size,
    met,
    histories: histories.length,
    events: histories.reduce((sum, { history }) => sum + (history.events?.length ?? 0), 0),
    taskFailures: failures.length,
    carriedOnBy: {
      next: said.split('the next build').length - 1,
      patched: said.split('the patched build').length - 1,
    },
    versions: await versionsOf(flow),
    brokenBuildRefusedBy: broken.length,
  });
  expect(failures.filter(({ cause, message }) => /NON_?DETERMINISTIC|TMPRL1100/i.test(`${cause} ${message}`))).toEqual(
    [],
  );
  await expectAllOnce({ up, flowId: flow.id, sender, vendor, writes: WRITES });
  await expectAccountsTie(up);
  expect(mixed, 'runs that did not end under the plan they began with').toEqual([]);
  expect(said, 'the next build carried runs on').toContain('the next build');
  if (full) expect(said, 'the patched build carried runs on').toContain('the patched build');
  expect(broken.length, 'histories by which a build that is not compatible is found out').toBeGreaterThan(0);
});

/** Writes, and sleeps between, each under the number of its version. */
function drawing(version: number) {
  const ids = Array.from({ length: WRITES }, (_, n) => n + 1);
  const write = (n: number) =>
    node(
      'core.http-request',
      `Write ${n}`,
      { url: `${vendor.origin}/write/${n}/${version}`, body: '={"id": trigger.body.id}', honoursKey: true },
      { retry: { attempts: 20, initialSeconds: 0.5 } },
    );
  const sleep = (n: number) => node('core.wait', `Sleep ${n}`, { until: `=$fromMillis($millis() + ${n * sleepMs})` });
  return {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      ...Object.fromEntries(ids.map((n) => [`write${n}`, write(n)])),
      ...Object.fromEntries(ids.slice(1).map((n) => [`sleep${n - 1}`, sleep(n - 1)])),
    },
    edges: line('incoming', ...ids.flatMap((n) => (n === 1 ? ['write1'] : [`sleep${n - 1}`, `write${n}`]))),
  };
}

/** Publishes the drawing of another version. */
async function edit({ id }: WebhookFlow, version: number): Promise<void> {
  const client = await up.client();
  const { name, draft, revision } = await client.call<FlowDetail>('GET', `/api/flows/${id}`);
  await client.call(
    'PUT',
    `/api/flows/${id}/draft`,
    { name, document: { ...draft, ...drawing(version) } },
    { 'If-Match': `"${revision}"` },
  );
  await client.call('POST', `/api/flows/${id}/publish`, {});
}

/** Puts a build where workers find it when they start; never half of one. */
async function put({ code }: WorkflowBundleWithSourceMap): Promise<void> {
  await writeFile(join(folder, 'new.js'), code);
  await rename(join(folder, 'new.js'), join(folder, 'workflows.js'));
}

/** Has one worker after the other end and come back with that build, as a rollout does. */
async function roll(build: WorkflowBundleWithSourceMap): Promise<void> {
  await put(build);
  for (const worker of up.platform.workers) {
    const before = await timesReady();
    process.kill(worker.pid ?? 0, 'SIGTERM');
    await until('the worker to be back', async () => (await timesReady()) > before);
  }
}

async function timesReady(): Promise<number> {
  return (await workerLogs()).split('"worker ready"').length - 1;
}

async function workerLogs(): Promise<string> {
  const texts = up.platform.workers.map((_, index) =>
    readFile(join(up.platform.dataDir, 'logs', index === 0 ? 'worker.log' : `worker-${index + 1}.log`), 'utf8'),
  );
  return (await Promise.all(texts)).join('');
}

/** What Temporal recorded of every carrier of a flow. */
async function historiesOf({ id }: WebhookFlow): Promise<Recorded[]> {
  const { rows } = await up.owner.query<{ company_id: string; carrier_id: string }>(
    'select distinct company_id, carrier_id from runs where flow_id = $1',
    [id],
  );
  return await askTemporal(up, (workflow) =>
    Promise.all(
      rows.map(async (row) => {
        const workflowId = carrierWorkflowId(row.company_id, row.carrier_id);
        return { workflowId, history: await workflow.getHandle(workflowId).fetchHistory() };
      }),
    ),
  );
}

/** Reads what is encrypted in those histories. */
async function openCodec() {
  const secrets = JSON.parse(await readFile(join(up.platform.dataDir, 'secrets.json'), 'utf8')) as Secrets;
  const store = openStore(up.roleUrl('app'), { max: 2 });
  const vault = createVault({ masterKeys: parseMasterKeys(secrets.masterKeys), store });
  return { codec: new CompanyCodec(store, vault), close: () => store.close() };
}

/** @returns what is said of each history that a build cannot go on with. */
async function replay(
  workflowBundle: WorkflowBundleWithSourceMap,
  histories: readonly Recorded[],
  { codec }: Awaited<ReturnType<typeof openCodec>>,
): Promise<string[]> {
  const broken: string[] = [];
  const options = { workflowBundle, dataConverter: { payloadCodecs: [codec] } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories))
    if (error) broken.push(`${workflowId}: ${error.message}`);
  return broken;
}

/** Runs by the version they began with. */
async function runsOf({ id }: WebhookFlow) {
  const { rows } = await up.owner.query<{ delivery: string; version: number }>(
    `select events.dedupe_key as delivery, runs.flow_version as version
       from runs join events on events.id = runs.event_id where runs.flow_id = $1`,
    [id],
  );
  return rows;
}

async function versionsOf(flow: WebhookFlow): Promise<Record<string, number>> {
  const byVersion = Map.groupBy(await runsOf(flow), ({ version }) => version);
  return Object.fromEntries([...byVersion].map(([version, all]) => [version, all.length]));
}

/** Runs that did something which is not drawn in the version they began with. */
async function mixedRuns(flow: WebhookFlow) {
  const effects = Map.groupBy(vendor.effects, ({ id }) => id);
  return (await runsOf(flow)).filter(
    ({ delivery, version }) => !effects.get(delivery)?.every(({ path }) => path.endsWith(`/${version}`)),
  );
}
