import type { StepDecision } from '@plumbline/workflows/activities/contract';
import { until } from '../support/until.ts';
import type { Scene } from './recorder.ts';
import { ended, parkedAt, wakes, type Standing } from './scripted-ledger.ts';

/** Something a carrier may go through. */
export interface Situation {
  /** @default 1 */
  readonly runs?: number;
  /** The first run's script, or each run's. */
  readonly script?: readonly Standing[];
  readonly scripts?: readonly (readonly Standing[])[];
  readonly play: (scene: Scene) => Promise<void>;
}

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

const decisions: Readonly<Record<string, StepDecision>> = {
  retry: { action: 'retry' },
  'retry with another input': { action: 'retry', input: { total: '12.50' } },
  skip: { action: 'skip', output: { id: '7' } },
  'skip by a port': { action: 'skip', output: {}, port: 'else' },
  'take the way for errors': { action: 'error_port' },
  'give up': { action: 'abort' },
  'give up and undo': { action: 'abort', compensate: true },
};

/** Starts, and lets it come to its end by itself. */
const play = async (scene: Scene): Promise<void> => {
  await scene.start();
  await scene.over();
};
const same = (runs: number, script: readonly Standing[]) => Array.from({ length: runs }, () => script);
const retry: StepDecision = { action: 'retry' };

const ending: Readonly<Record<string, Situation>> = {
  ...Object.fromEntries([1, 2, 10, 50].map((runs) => [`${runs} runs that end at once`, { runs, play }])),
  'reports that come in another order': {
    runs: 5,
    scripts: same(5, [wakes(20)]),
    play: async (scene) => {
      scene.ledger.reverse(scene.runIds[0] ?? '');
      await play(scene);
    },
  },
  'started again under the same id': {
    script: [wakes(200)],
    play: async (scene) => {
      await scene.start();
      await scene.start();
      await scene.over();
      await scene.start();
    },
  },
};

const waiting: Readonly<Record<string, Situation>> = {
  ...Object.fromEntries([0, 1, 50, 1_000].map((ms) => [`a wait of ${ms} ms`, { script: [wakes(ms)], play }])),
  'waits of many lengths': { script: [wakes(5), wakes(0), wakes(80), wakes(1), wakes(0)], play },
  ...Object.fromEntries(
    [10, 40].map((times) => [
      `a chain of ${times} waits`,
      { script: Array.from({ length: times }, (_, index) => wakes(index % 3)), play },
    ]),
  ),
  'ten runs that wait side by side': { runs: 10, scripts: same(10, [wakes(30), wakes(10)]), play },
  'fifty runs that wait side by side': { runs: 50, scripts: same(50, [wakes(100)]), play },
  'ten runs of which each second waits': {
    runs: 10,
    scripts: Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? [] : [wakes(20)])),
    play,
  },
};

/** Calls that are under way at once end in another order than they began. */
const overtaking: Readonly<Record<string, Situation>> = {
  ...Object.fromEntries(
    [3, 10, 25].map((runs) => [
      `${runs} runs that overtake each other`,
      {
        runs,
        scripts: same(runs, [wakes(200), wakes(20), wakes(20)]),
        play: async (scene: Scene) => {
          scene.runIds.forEach((runId, index) => scene.ledger.slow(runId, ((index * 7) % 10) * 4));
          await play(scene);
        },
      },
    ]),
  ),
  'a waking that overtakes a decision': {
    script: [wakes(HOUR, 'a'), wakes(5)],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      scene.ledger.timed(runId, 'timed');
      scene.ledger.slow(runId, 30, 'settleStep');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.decide('a', retry), scene.wake('timed')]);
      await scene.over();
    },
  },
  'a decision that overtakes a waking': {
    script: [wakes(HOUR, 'a'), wakes(5)],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      scene.ledger.timed(runId, 'timed');
      scene.ledger.slow(runId, 30, 'wakeStep');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.wake('timed'), scene.decide('a', retry)]);
      await scene.over();
    },
  },
  'a decision that overtakes the carrying on': {
    script: [parkedAt('a', 'b'), parkedAt('b')],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      await scene.start();
      await scene.carriedOn(1);
      scene.ledger.slow(runId, 60);
      await Promise.all([scene.decide('a', retry), scene.decide('b', retry)]);
      await scene.over();
    },
  },
  'cancelling that overtakes the carrying on': {
    script: [parkedAt('a'), parkedAt('b')],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      await scene.start();
      await scene.carriedOn(1);
      scene.ledger.slow(runId, 60);
      await Promise.all([scene.decide('a', retry), scene.cancel()]);
      await scene.over();
    },
  },
  'a carrying on that overtakes a cancelling': {
    script: [parkedAt('a'), parkedAt('b')],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      await scene.start();
      await scene.carriedOn(1);
      scene.ledger.slow(runId, 60, 'cancelRun');
      await Promise.all([scene.decide('a', retry), scene.cancel()]);
      await scene.over();
    },
  },
  'a waking that overtakes a cancelling': {
    script: [wakes(HOUR), wakes(HOUR)],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      scene.ledger.timed(runId, 'timed');
      scene.ledger.slow(runId, 30, 'cancelRun');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.cancel(), scene.wake('timed')]);
      await scene.over();
    },
  },
};

const deciding: Readonly<Record<string, Situation>> = {
  ...Object.fromEntries(
    Object.entries(decisions).map(([name, decision]) => [
      `parked, and a person says: ${name}`,
      {
        script: [parkedAt('a')],
        play: async (scene: Scene) => {
          await scene.start();
          await scene.carriedOn(1);
          await scene.decide('a', decision);
          await scene.over();
        },
      },
    ]),
  ),
  'parked three times': {
    script: [parkedAt('a'), parkedAt('a'), parkedAt('b')],
    play: async (scene) => {
      await scene.start();
      for (const [index, nodeId] of ['a', 'a', 'b'].entries()) {
        await scene.carriedOn(index + 1);
        await scene.decide(nodeId, retry);
      }
      await scene.over();
    },
  },
  'parked fifteen times, with waits between': {
    script: Array.from({ length: 15 }, () => [parkedAt('a'), wakes(1)]).flat(),
    play: async (scene) => {
      await scene.start();
      for (let n = 0; n < 15; n++) {
        await scene.carriedOn(1 + 2 * n);
        await scene.decide('a', retry);
      }
      await scene.over();
    },
  },
  'two branches decided one after the other': {
    script: [parkedAt('a', 'b'), parkedAt('b')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.carriedOn(2);
      await scene.decide('b', { action: 'skip', output: {} });
      await scene.over();
    },
  },
  'two branches decided at once': {
    script: [parkedAt('a', 'b')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.decide('a', retry), scene.decide('b', { action: 'abort' })]);
      await scene.over();
    },
  },
  'one branch parked while another waits': {
    script: [wakes(400, 'a'), wakes(10, 'a'), parkedAt('a')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(3);
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'one branch parked and decided while another waits': {
    script: [wakes(HOUR, 'a'), wakes(5)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'five decisions at once': {
    script: [parkedAt('a')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all(Array.from({ length: 5 }, () => scene.decide('a', { action: 'skip', output: {} })));
      await scene.over();
    },
  },
  'a decision about another step first': {
    script: [parkedAt('a')],
    play: async (scene) => {
      scene.ledger.settledElsewhere(scene.runIds[0] ?? '', 'b');
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('b', retry);
      await scene.decide('b', { action: 'abort' });
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'a decision that comes too late': {
    script: [wakes(300, 'a')],
    play: async (scene) => {
      scene.ledger.settledElsewhere(scene.runIds[0] ?? '', 'a');
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'a decision while the run is being carried on': {
    script: [parkedAt('a', 'b'), parkedAt('b')],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      await scene.start();
      await scene.carriedOn(1);
      const release = scene.ledger.hold('advance', runId);
      await scene.decide('a', retry);
      const other = scene.decide('b', retry);
      release();
      await other;
      await scene.over();
    },
  },
  'ten runs all parked and all decided': {
    runs: 10,
    scripts: same(10, [parkedAt('a')]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all(scene.runIds.map((_, run) => scene.decide('a', retry, run)));
      await scene.over();
    },
  },
  'ten runs: some end, some wait, some are parked': {
    runs: 10,
    scripts: Array.from({ length: 10 }, (_, index) => [[ended], [wakes(20)], [parkedAt('a')]][index % 3] ?? []),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      for (const run of [2, 5, 8]) await scene.decide('a', retry, run);
      await scene.over();
    },
  },
};

const waking: Readonly<Record<string, Situation>> = {
  'a step that waits is woken': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      scene.ledger.timed(scene.runIds[0] ?? '', 'timed');
      await scene.start();
      await scene.carriedOn(1);
      await scene.wake('timed');
      await scene.over();
    },
  },
  'two steps are woken at once': {
    script: [wakes(HOUR), wakes(10)],
    play: async (scene) => {
      for (const nodeId of ['timed', 'timed2']) scene.ledger.timed(scene.runIds[0] ?? '', nodeId);
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.wake('timed'), scene.wake('timed2')]);
      await scene.over();
    },
  },
  'woken five times over': {
    script: Array.from({ length: 5 }, () => wakes(HOUR)),
    play: async (scene) => {
      scene.ledger.timed(scene.runIds[0] ?? '', 'timed');
      await scene.start();
      for (let n = 1; n <= 5; n++) {
        await scene.carriedOn(n);
        await scene.wake('timed');
      }
      await scene.over();
    },
  },
  'nothing is there to wake': {
    script: [wakes(600)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.wake('timed');
      await scene.over();
    },
  },
  'a step that waits is given up': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      scene.ledger.timed(scene.runIds[0] ?? '', 'timed');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all(Array.from({ length: 3 }, () => scene.decide('timed', { action: 'abort' })));
      await scene.over();
    },
  },
  'given up before the first report': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      const [runId = ''] = scene.runIds;
      scene.ledger.timed(runId, 'timed');
      const release = scene.ledger.hold('advance', runId);
      await scene.start();
      const given = scene.decide('timed', { action: 'abort' });
      release();
      await given;
      await scene.over();
    },
  },
  'a timer and a decision race': {
    script: [wakes(40, 'a'), wakes(5)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'waking and deciding race': {
    script: [wakes(HOUR, 'a'), wakes(5)],
    play: async (scene) => {
      scene.ledger.timed(scene.runIds[0] ?? '', 'timed');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.wake('timed'), scene.decide('a', retry)]);
      await scene.over();
    },
  },
};

const cancelAt = (
  script: readonly Standing[],
  runs = 1,
  more: (scene: Scene) => Promise<void> = () => Promise.resolve(),
) => ({
  runs,
  scripts: same(runs, script).map((own, index) => (index === 0 ? own : [])),
  play: async (scene: Scene) => {
    await scene.start();
    await scene.carriedOn(1);
    await scene.cancel();
    await more(scene);
    await scene.over();
  },
});

const cancelling: Readonly<Record<string, Situation>> = {
  'cancelled while parked': cancelAt([parkedAt('a')]),
  'cancelled while waiting': cancelAt([wakes(HOUR)]),
  'cancelled in a wait of a year': cancelAt([wakes(YEAR)]),
  'one of ten cancelled': cancelAt([parkedAt('a')], 10),
  'cancelled twice': cancelAt([parkedAt('a')], 1, (scene) => scene.cancel()),
  'five cancelled one by one': {
    runs: 5,
    scripts: same(5, [parkedAt('a')]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      for (let run = 0; run < 5; run++) await scene.cancel(run);
      await scene.over();
    },
  },
  'cancelled before the first report': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      const release = scene.ledger.hold('advance', scene.runIds[0] ?? '');
      await scene.start();
      await scene.cancel();
      release();
      await scene.over();
    },
  },
  'cancelling a run that is none of its own': {
    script: [wakes(300)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.cancelStranger();
      await scene.over();
    },
  },
  'cancelling and deciding race': {
    script: [parkedAt('a')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.cancel(), scene.decide('a', retry)]);
      await scene.over();
    },
  },
  'cancelling and waking race': {
    script: [wakes(HOUR), wakes(HOUR)],
    play: async (scene) => {
      scene.ledger.timed(scene.runIds[0] ?? '', 'timed');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.wake('timed'), scene.cancel()]);
      await scene.over();
    },
  },
  ...Object.fromEntries(
    (
      [
        ['while parked', [parkedAt('a')], 1],
        ['while waiting', [wakes(HOUR)], 1],
        ['with ten runs under way', [wakes(HOUR, 'a')], 10],
      ] as const
    ).map(([when, script, runs]) => [
      `ended in Temporal ${when}`,
      {
        runs,
        scripts: same(runs, script),
        play: async (scene: Scene) => {
          await scene.start();
          await scene.carriedOn(1);
          await scene.cancelWorkflow();
          await scene.over();
        },
      },
    ]),
  ),
  'ended in Temporal after some of its runs had ended': {
    runs: 3,
    scripts: [[parkedAt('a')], [], [wakes(5)]],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(2, 2);
      await scene.cancelWorkflow();
      await scene.over();
    },
  },
};

const failing: Readonly<Record<string, Situation>> = {
  // The seventh pause would be longer than a local activity may wait in its task, so it becomes a timer.
  ...Object.fromEntries(
    [1, 3, 7].map((times) => [
      `the ledger is out of reach ${times} times`,
      {
        script: [wakes(10)],
        play: async (scene: Scene) => {
          scene.ledger.fail('advance', scene.runIds[0] ?? '', times);
          await play(scene);
        },
      },
    ]),
  ),
  'the ledger goes out of reach between two waits': {
    script: [wakes(300), wakes(10)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      scene.ledger.fail('advance', scene.runIds[0] ?? '', 2);
      await scene.over();
    },
  },
  'a decision is recorded at the third try': {
    script: [parkedAt('a')],
    play: async (scene) => {
      scene.ledger.fail('settleStep', scene.runIds[0] ?? '', 2);
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'a cancelling is recorded at the second try': {
    script: [parkedAt('a')],
    play: async (scene) => {
      scene.ledger.fail('cancelRun', scene.runIds[0] ?? '', 1);
      await scene.start();
      await scene.carriedOn(1);
      await scene.cancel();
      await scene.over();
    },
  },
  'the worker is replaced while a run is parked': {
    script: [parkedAt('a'), wakes(10)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.restartWorker();
      await scene.decide('a', retry);
      await scene.over();
    },
  },
  'the worker is replaced while ten runs wait': {
    runs: 10,
    scripts: same(10, [wakes(1_500), wakes(10)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.restartWorker();
      await scene.over();
    },
  },
  'the worker is replaced over and over': {
    script: Array.from({ length: 4 }, () => parkedAt('a')),
    play: async (scene) => {
      await scene.start();
      for (let n = 1; n <= 4; n++) {
        await scene.carriedOn(n);
        await scene.restartWorker();
        await scene.decide('a', retry);
      }
      await scene.over();
    },
  },
};

/** Something happened to runs that waited for it, and they are looked at. */
const looking: Readonly<Record<string, Situation>> = {
  'one run is looked at': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.look(0);
      await scene.over();
    },
  },
  'a run that waits for nothing but an answer is looked at': {
    script: [parkedAt('a')],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.look(0);
      await scene.over();
    },
  },
  ...Object.fromEntries(
    [2, 10, 50].map((runs) => [
      `${runs} runs are looked at at once`,
      {
        runs,
        scripts: same(runs, [wakes(HOUR)]),
        play: async (scene: Scene) => {
          await scene.start();
          await scene.carriedOn(1);
          await scene.look(...scene.runIds.keys());
          await scene.over();
        },
      },
    ]),
  ),
  'ten runs are looked at one by one': {
    runs: 10,
    scripts: same(10, [wakes(HOUR), wakes(5)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([...scene.runIds.keys()].map((run) => scene.look(run)));
      await scene.over();
    },
  },
  'half of ten runs are looked at, then the other half': {
    runs: 10,
    scripts: same(10, [wakes(HOUR)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.look(0, 2, 4, 6, 8);
      await scene.carriedOn(2, 8);
      await scene.look(9, 7, 5, 3, 1);
      await scene.over();
    },
  },
  'looked at five times over': {
    script: Array.from({ length: 5 }, () => wakes(HOUR)),
    play: async (scene) => {
      await scene.start();
      for (let n = 1; n <= 5; n++) {
        await scene.carriedOn(n);
        await scene.look(0);
      }
      await scene.over();
    },
  },
  'looked at before the first report': {
    script: [wakes(HOUR)],
    play: async (scene) => {
      const release = scene.ledger.hold('advance', scene.runIds[0] ?? '');
      await scene.start();
      await scene.look(0);
      release();
      await scene.over();
    },
  },
  'looked at while it is being carried on': {
    runs: 3,
    scripts: same(3, [wakes(HOUR), wakes(HOUR)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      for (const runId of scene.runIds) scene.ledger.slow(runId, 60);
      await scene.look(0, 1, 2);
      await scene.look(0, 1);
      await scene.carriedOn(2, 2);
      await scene.look(2);
      await scene.over();
    },
  },
  'looked at while others are being carried on': {
    runs: 6,
    scripts: same(6, [wakes(HOUR), wakes(5)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      for (const runId of scene.runIds.slice(0, 3)) scene.ledger.slow(runId, 40);
      await scene.look(0, 1, 2);
      await scene.look(3, 4, 5);
      await scene.over();
    },
  },
  'looked at while a decision is recorded': {
    script: [wakes(HOUR, 'a'), wakes(HOUR), wakes(5)],
    play: async (scene) => {
      scene.ledger.slow(scene.runIds[0] ?? '', 40, 'settleStep');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.decide('a', retry), scene.look(0)]);
      await scene.carriedOn(2);
      await scene.look(0);
      await scene.carriedOn(3);
      await scene.over();
    },
  },
  'looked at while it is cancelled': {
    script: [wakes(HOUR), wakes(HOUR)],
    play: async (scene) => {
      scene.ledger.slow(scene.runIds[0] ?? '', 40, 'cancelRun');
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([scene.cancel(), scene.look(0)]);
      await scene.over();
    },
  },
  'a timer and a look race': {
    runs: 5,
    scripts: same(5, [wakes(40), wakes(5)]),
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.look(1, 3);
      await scene.over();
    },
  },
  'looks, timers and decisions of ten runs': {
    runs: 10,
    scripts: Array.from({ length: 10 }, (_, index) =>
      index % 2 === 0 ? [wakes(20 + index), wakes(HOUR), wakes(3)] : [wakes(HOUR, 'a'), wakes(HOUR, 'b'), wakes(2)],
    ),
    play: async (scene) => {
      scene.runIds.forEach((runId, index) => scene.ledger.slow(runId, (index * 3) % 7));
      await scene.start();
      await scene.carriedOn(1);
      await Promise.all([
        scene.look(1, 2),
        ...[3, 5, 7].map((run) => scene.decide('a', retry, run)),
        scene.look(9, 1, 8),
      ]);
      for (const run of [0, 2, 4, 6, 8]) await scene.carriedOn(2, run);
      // Each waits for an hour at most twice.
      for (let round = 0; round < 2; round++) {
        await scene.look(...scene.runIds.keys());
        await scene.carriedOn(3 + round, 1).catch(() => undefined);
      }
      await scene.over();
    },
  },
};

/** So many waits fill a history until the workflow hands over. */
const many = Array.from({ length: 60 }, () => wakes(1));

const handingOver: Readonly<Record<string, Situation>> = {
  'a history grows long': { script: many, play },
  'a history grows long twice': { script: [...many, ...many], play },
  'a history grows long while other runs wait': {
    runs: 4,
    scripts: [many, [wakes(HOUR)], [parkedAt('a')], []],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(many.length, 0);
      await scene.look(1);
      await scene.decide('a', retry, 2);
      await scene.over();
    },
  },
  'decided before it hands over and afterwards': {
    script: [parkedAt('a'), ...many, parkedAt('b'), wakes(5)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1);
      await scene.decide('a', retry);
      await scene.carriedOn(2 + many.length);
      await scene.decide('a', retry);
      await scene.decide('b', { action: 'skip', output: {} });
      await scene.over();
    },
  },
  'decided while it hands over': {
    runs: 2,
    scripts: [many, [parkedAt('a'), wakes(5)]],
    play: async (scene) => {
      const [, parked = ''] = scene.runIds;
      scene.ledger.slow(parked, 30, 'settleStep');
      await scene.start();
      await scene.carriedOn(1, 1);
      await until('the history to have grown', () => Promise.resolve(scene.ledger.times(scene.runIds[0] ?? '') > 40));
      await scene.decide('a', retry, 1);
      await scene.over();
    },
  },
  'cancelled after it handed over': {
    script: [...many, wakes(HOUR)],
    play: async (scene) => {
      await scene.start();
      await scene.carriedOn(1 + many.length);
      await scene.cancel();
      await scene.over();
    },
  },
};

/** By name; each is one file of histories. */
export const situations: Readonly<Record<string, Situation>> = {
  ...ending,
  ...waiting,
  ...overtaking,
  ...deciding,
  ...waking,
  ...cancelling,
  ...failing,
  ...looking,
  ...handingOver,
};
