import { flowDocumentSchema, type FlowDocument } from '@plumbline/workflows/flow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicateNodes } from './clipboard.ts';
import { exampleCatalog, exampleFlow } from './example.ts';
import { historyDepth, record, redo, startHistory, undo, type History } from './history.ts';
import { addNode, connect, disconnect, moveNodes, removeNodes } from './nodes.ts';
import { setInput, setNode, setParam } from './settings.ts';

type Command = (document: FlowDocument) => FlowDocument;

const pick = <T>(list: readonly T[], seed: number): T | undefined => list[seed % Math.max(1, list.length)];
const seed = fc.nat({ max: 1_000 });

/** Any command, made to fit whatever document it meets. */
const command: fc.Arbitrary<{ label: string; run: Command; merge?: string }> = fc.oneof(
  fc.tuple(seed, seed).map(([a, b]) => ({
    label: 'add',
    run: (document: FlowDocument) => {
      const type = pick(exampleCatalog.nodeTypes, a);
      const edge = pick(document.edges, b);
      if (!type) return document;
      return addNode(
        document,
        type,
        edge && type.kind !== 'trigger' ? { kind: 'edge', edgeId: edge.id } : { kind: 'free' },
      ).document;
    },
  })),
  fc.tuple(seed, seed).map(([a, b]) => ({
    label: 'connect',
    run: (document: FlowDocument) =>
      connect(document, pick(Object.keys(document.nodes), a) ?? '', 'out', pick(Object.keys(document.nodes), b) ?? ''),
  })),
  seed.map((a) => ({
    label: 'disconnect',
    run: (document: FlowDocument) => disconnect(document, [pick(document.edges, a)?.id ?? '']),
  })),
  fc.tuple(seed, seed).map(([a, b]) => ({
    label: 'remove',
    run: (document: FlowDocument) =>
      removeNodes(document, [pick(Object.keys(document.nodes), a) ?? '', pick(Object.keys(document.nodes), b) ?? '']),
  })),
  fc.tuple(seed, fc.integer(), fc.integer()).map(([a, x, y]) => ({
    label: 'move',
    run: (document: FlowDocument) => moveNodes(document, { [pick(Object.keys(document.nodes), a) ?? '']: { x, y } }),
  })),
  fc.tuple(seed, fc.string()).map(([a, source]) => ({
    label: 'type',
    merge: 'input',
    run: (document: FlowDocument) =>
      setInput(document, pick(Object.keys(document.nodes), a) ?? '', 'docNumber', {
        kind: 'expression' as const,
        source,
      }),
  })),
  seed.map((a) => ({
    label: 'switch',
    run: (document: FlowDocument) => setNode(document, pick(Object.keys(document.nodes), a) ?? '', { disabled: true }),
  })),
  fc
    .string()
    .map((value) => ({ label: 'setting', run: (document: FlowDocument) => setParam(document, 'account', { value }) })),
  seed.map((a) => ({
    label: 'duplicate',
    run: (document: FlowDocument) =>
      duplicateNodes(document, [pick(Object.keys(document.nodes), a) ?? ''])?.document ?? document,
  })),
);

const all = <T>(history: History<T>, step: (history: History<T>) => History<T>): History<T> => {
  for (let next = step(history); next !== history; next = step(history)) history = next;
  return history;
};

test('undoing everything gives the first document back, redoing everything the last, and each one between is valid', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let history = startHistory(exampleFlow);
      commands.forEach(({ label, run, ...more }, index) => {
        const before = history;
        history = record(history, { label, state: run(history.present), at: index * 500, ...more });
        expect(flowDocumentSchema.safeParse(history.present).success).toBe(true);
        if (history.past.length > before.past.length) {
          expect(undo(history).present).toBe(before.present);
          expect(redo(undo(history)).present).toBe(history.present);
        }
      });
      const last = history.present;
      const first = all(history, undo);
      expect(first.present).toBe(exampleFlow);
      expect(all(first, redo).present).toBe(last);
    }),
    { numRuns: 150 },
  );
});

test('typing in one field is one step, until a pause or another field', () => {
  let history = startHistory('');
  for (const [index, state] of ['b', 'bi', 'bil', 'bill'].entries())
    history = record(history, { label: 'Type', state, merge: 'a', at: index * 200 });
  expect(history.past).toHaveLength(1);
  history = record(history, { label: 'Type', state: 'bills', merge: 'a', at: 9_000 });
  history = record(history, { label: 'Type', state: 'other', merge: 'b', at: 9_100 });
  expect(history.past).toHaveLength(3);
  expect(undo(undo(undo(history))).present).toBe('');
});

test('the last 200 steps are kept', () => {
  let history = startHistory(0);
  for (let state = 1; state <= 500; state++) history = record(history, { label: 'Count', state, at: state });
  expect(history.past).toHaveLength(historyDepth);
  expect(all(history, undo).present).toBe(300);
});

test('a change after undoing forgets what could be redone', () => {
  let history = record(startHistory('a'), { label: 'b', state: 'b', at: 0 });
  history = record(undo(history), { label: 'c', state: 'c', at: 1 });
  expect(redo(history)).toBe(history);
});
