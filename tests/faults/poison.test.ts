import type { RunDetail, RunSummary, Page } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishErrand } from '../support/errand.ts';
import { due, percentile } from '../support/figures.ts';
import { expectAccountsTie, untilSettled } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report, seed, size } from '../support/profile.ts';
import { secondCompany } from '../support/second-company.ts';
import { openSender, type Sender } from '../support/sender.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

/** What has killed, hung or fooled an evaluator before. */
const poisons = {
  'a constructor by its name': '$lookup(trigger.body, "constructor")',
  'a function from a string': '"".constructor.constructor("return process")()',
  'a key of every object': '{"__proto__": {"a": 1}}',
  'text that is evaluated': '$eval(trigger.body.code)',
  'recursion without end': '($i := function(){ $i() }; $i())',
  'recursion that grows':
    '($a := function($m, $n){ $m = 0 ? $n + 1 : $n = 0 ? $a($m - 1, 1) : $a($m - 1, $a($m, $n - 1)) }; $a(4, 3))',
  'lists of lists': '[1..10000].([1..10000])',
  'a list too long': '[1..9999999]',
  'doubling text': '$length($reduce([1..28], function($a, $i){ $a & $a }, "x"))',
  'padding without end': '$length($pad("x", 20000000))',
  'joining a million': '$length($join([1..1000000].("xxxxxxxxxxxxxxxxxxxx")))',
  'a replacing that grows': '$length($replace($pad("x", 200000), "x", $pad("y", 2000)))',
  'a pattern that backtracks': '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)',
  'a pattern in a pattern': '$match($pad("a", 50000), /(.*)*x/)',
  'a picture that makes no sense': '$toMillis("2026", "[Y0001][[[[M]")',
  'depth without end': '($d := function($n){ $n = 0 ? 1 : {"d": $d($n - 1)} }; $string($d(3000)))',
  'a division by nothing': '1 / 0',
  'a sort of everything': '$sort([1..200000], function($a, $b){ $a < $b })',
  'all pairs of pairs': '$map([1..3000], function($x){ $map([1..3000], function($y){ $x * $y }) })',
  'an error of its own': '$error("boom")',
} as const;

/** The next poison comes so soon after the one before. */
const EVERY_MS = size(250, 500);

let up: TestPlatform;
let vendor: MockVendor;
let poisoner: StudioClient;
beforeAll(async () => {
  vendor = await startMockVendor();
  up = await testPlatform({ PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin }, { workers: 2, fsync: true });
  poisoner = await secondCompany(up);
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
});

test("the worst that one company's flows can do fails soon and with a code, and its neighbours hardly notice", async () => {
  const errand = await publishErrand(await up.client(), vendor.origin, { name: 'Neighbour', sleepMs: 0 });
  await using neighbour = openSender(errand, up.platform.origins);
  await steady(neighbour, 'warm', 10);
  const calm = await steady(neighbour, 'calm', size(16, 60));

  // What runs cost a neighbour that fail at once, as many of them: the machine has two cores, and this is no fault of what is in them.
  const plain = await publishAll(Object.keys(poisons).map((name) => [`${name}, left out`, '$error("boom")']));
  const beside = await meanwhile(neighbour, 'beside', plain.flows);

  const { flows, refused } = await publishAll([...Object.entries(poisons), ['three megabytes', '$pad("x", 3000000)']]);
  const tooLarge = await flows.at(-1)?.flow.post('large', { text: 'x'.repeat(3_000_000) });

  const during = await meanwhile(neighbour, 'during', flows);
  await untilSettled(up, errand.id, neighbour);
  const paces = { calm: spread(calm), beside: spread(beside.pace), during: spread(during.pace) };
  const { outcomes } = during;
  report('R8', {
    refused: refused.length,
    ran: Object.fromEntries(
      outcomes.map(({ name, code, status, ms }) => [name, `${code ?? status} ${Math.round(ms)}`]),
    ),
    ...paces,
    tooLarge: tooLarge?.status,
    restarts: up.restarts.length,
  });
  expect(tooLarge?.status).toBe(413);
  // What has an answer may give it; whatever has none says why.
  expect(outcomes.filter(({ status, code }) => status !== 'succeeded' && !code)).toEqual([]);
  expect(outcomes.filter(({ status }) => status !== 'succeeded').length, 'what was stopped').toBeGreaterThan(5);
  expect(outcomes.filter(({ ms }) => ms > size(20_000, 5_000))).toEqual([]);
  expect(up.restarts).toEqual([]);
  // On a machine that does other things too, the slowest of a score says little.
  const [before, then] = [paces.beside.p95, paces.during.p95];
  expect(then).toBeLessThan(size(Math.max(8 * before, 1_500), 1.5 * before));
  await expectAccountsTie(up);
});

interface Poison {
  readonly name: string;
  readonly flow: WebhookFlow;
}

/** Publishes a flow with each expression. What is refused before it is published is refused with a code in its problem. */
async function publishAll(
  sources: readonly (readonly [name: string, source: string])[],
): Promise<{ readonly flows: Poison[]; readonly refused: readonly string[] }> {
  const flows: Poison[] = [];
  const refused: string[] = [];
  for (const [name, source] of sources) {
    try {
      const flow = await publishWebhookFlow(poisoner, name, {
        params: {},
        connections: {},
        nodes: {
          incoming: node('core.webhook', 'In'),
          think: node('core.map', 'Think', { value: `=${source}` }),
        },
        edges: line('incoming', 'think'),
      });
      flows.push({ name, flow });
    } catch (error) {
      refused.push(name);
      expect(String(error)).toMatch(/\([a-z_]+\)/);
    }
  }
  return { flows, refused };
}

interface Outcome {
  readonly name: string;
  readonly status: RunSummary['status'];
  readonly code: string | undefined;
  readonly ms: number;
}

/** The neighbour's pace while flows run, one after the other: a score of runs at once costs it something, whatever they do. */
async function meanwhile(
  neighbour: Sender,
  trial: string,
  flows: readonly Poison[],
): Promise<{ readonly pace: Pace; readonly outcomes: readonly Outcome[] }> {
  const began = performance.now();
  const ends = Promise.all(
    flows.map(async ({ name, flow }, index): Promise<Outcome> => {
      await due(began + index * EVERY_MS);
      const sent = performance.now();
      await flow.post(`poison-${seed}`, { code: '1+1' });
      const run = await until(
        `"${name}" to end`,
        async () => {
          const { items } = await poisoner.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
          return items.find(({ status }) => ['succeeded', 'failed', 'parked'].includes(status));
        },
        { everyMs: 250 },
      );
      const ms = performance.now() - sent;
      const { error } = await poisoner.call<RunDetail>('GET', `/api/runs/${run.id}`);
      return { name, status: run.status, code: error?.code, ms };
    }),
  );
  let isOver = false;
  const over = ends.finally(() => (isOver = true));
  const pace = await steady(neighbour, trial, 200, () => !isOver);
  return { pace, outcomes: await over };
}

/** Deliveries one after the other: how long each took until its first effect, and until its last. */
async function steady(sender: Sender, name: string, most: number, goesOn = (): boolean => true): Promise<Pace> {
  const found = { first: [] as number[], last: [] as number[] };
  for (let n = 0; n < most && goesOn(); n++) {
    const id = `${name}-${seed}-${n}`;
    const began = performance.now();
    await sender.deliver(id);
    const last = await until(
      `errand ${id}`,
      () => Promise.resolve(vendor.effects.findLast((effect) => effect.id === id && effect.path.endsWith('/5'))),
      { everyMs: 5 },
    );
    found.first.push((vendor.firstSeen.get(id) ?? 0) - began);
    found.last.push(last.at - began);
    await due(began + 100);
  }
  return found;
}

interface Pace {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

function spread({ first, last }: Pace): Record<'p50' | 'p95' | 'firstP50' | 'firstP95', number> {
  const round = (values: readonly number[], percent: number): number => Math.round(percentile(values, percent));
  return { p50: round(last, 50), p95: round(last, 95), firstP50: round(first, 50), firstP95: round(first, 95) };
}
