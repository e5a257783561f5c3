import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Evaluator } from '@plumbline/workflows/evaluate/pool';
import { expect, test } from 'vitest';
import { chance, report, seed, size, type Chance } from '../support/profile.ts';

/** Longest that one may take, its child's death and successor included; the bar is 1.2 s on a quiet machine. */
const LONGEST_MS = size(5_000, 1_200);

test('whatever expression is asked for, it ends in time and reaches nothing outside', async () => {
  const luck = chance(seed);
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-canary-'));
  const canary = join(folder, 'canary');
  await writeFile(canary, 'the canary sings');
  process.env['PLUMBLINE_CANARY'] = 'the canary sings';
  let calls = 0;
  const server = createServer((_, response) => {
    calls++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const evaluator = new Evaluator({ size: 2 });
  const atoms = [...ATOMS, JSON.stringify(canary), JSON.stringify(origin)];
  const outcomes = new Map<string, number>();
  let [slowest, escaped] = [0, 0];
  const before = process.memoryUsage().rss;
  try {
    for (let n = 0; n < size(600, 5_000); n++) {
      const source = grow(luck, atoms, 4);
      const began = performance.now();
      const answer = await evaluator.evaluate('company', {
        context: '{"trigger":{"a":[1,2,3],"b":{"c":"text"},"d":"12.50"}}',
        expressions: [{ field: 'value', source }],
        now: '2026-01-01T00:00:00Z',
        seed: String(n),
      });
      slowest = Math.max(slowest, performance.now() - began);
      const name = answer.ok ? 'ok' : answer.error.code;
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
      if (JSON.stringify(answer).includes('canary sings')) escaped++;
    }
  } finally {
    await evaluator.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
  const grownMb = (process.memoryUsage().rss - before) / 1_048_576;
  report('S8', {
    outcomes: Object.fromEntries(outcomes),
    kills: evaluator.kills,
    slowestMs: Math.round(slowest),
    grownMb: Math.round(grownMb),
    escaped,
    calls,
  });
  expect([escaped, calls]).toEqual([0, 0]);
  expect(outcomes.get('ok') ?? 0, 'expressions that say something').toBeGreaterThan(0);
  expect(outcomes.size, 'refused, as well as answered').toBeGreaterThan(1);
  expect(slowest).toBeLessThan(LONGEST_MS);
  expect(grownMb).toBeLessThan(size(128, 32));
});

const ATOMS = [
  ...[
    '1',
    '0',
    '-1',
    '1e308',
    '""',
    '"x"',
    'null',
    'true',
    '[]',
    '{}',
    '[1..1000]',
    '[0..9999999]',
    '$',
    '$$',
    '**',
    '%',
  ],
  ...['trigger.a', 'trigger.b.c', 'trigger.d', 'constructor', '__proto__', 'process.env', '$.constructor', '/^(a+)+$/'],
  ...['"$eval(1)"', 'function($x){$x}', 'function($f){$f($f)}', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"'],
];
const CALLS = [
  ...['$sum', '$count', '$string', '$number', '$length', '$map', '$filter', '$reduce', '$sort', '$keys', '$lookup'],
  ...[
    '$eval',
    '$pad',
    '$join',
    '$split',
    '$match',
    '$replace',
    '$each',
    '$sift',
    '$spread',
    '$clone',
    '$type',
    '$error',
  ],
  ...[
    '$now',
    '$millis',
    '$random',
    '$shuffle',
    '$formatNumber',
    '$toMillis',
    '$base64encode',
    '$constructor',
    '$require',
  ],
];
const OPERATORS = ['+', '-', '*', '/', '%', '&', '=', '!=', '<', 'in', 'and', 'or', '~>', '.', ':='];

/** An expression of the grammar, of some depth: most are sense to the parser, and nonsense to a person. */
function grow(luck: Chance, atoms: readonly string[], depth: number): string {
  if (depth === 0 || luck.next() < 0.15) return luck.pick(atoms);
  const next = (): string => grow(luck, atoms, depth - 1);
  switch (luck.below(8)) {
    case 0:
      return `${luck.pick(CALLS)}(${next()})`;
    case 1:
      return `${luck.pick(CALLS)}(${next()}, ${next()})`;
    case 2:
      return `(${next()} ${luck.pick(OPERATORS)} ${next()})`;
    case 3:
      return `{"k": ${next()}, ${luck.pick(atoms)}: ${next()}}`;
    case 4:
      return `[${next()}, ${next()}]`;
    case 5:
      return `(${next()} ? ${next()} : ${next()})`;
    case 6:
      return `(${next()})[${next()}]`;
    default:
      return `($f := function($x, $y){ ${next()} }; $map(${next()}, $f))`;
  }
}
