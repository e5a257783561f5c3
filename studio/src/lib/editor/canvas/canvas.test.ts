import { expect, test } from 'vitest';
import { exampleCatalog, exampleFlow, typeOf } from '../document/example.ts';
import { addNode, connect } from '../document/nodes.ts';
import { cardLabel, operationOf } from './describe.ts';
import { outline } from './outline.ts';
import { paletteGroups } from './palette.ts';

const anywhere = { hasInput: false, hasOutput: false, hasTrigger: false, connected: new Set<string>() };

test('the palette offers triggers first to an empty flow, and never where something leads in', () => {
  expect(paletteGroups(exampleCatalog, '', anywhere)[0]?.title).toBe('Triggers');
  expect(paletteGroups(exampleCatalog, '', { ...anywhere, hasTrigger: true })[0]?.title).toBe('Logic');
  expect(paletteGroups(exampleCatalog, '', { ...anywhere, hasInput: true }).map((group) => group.title)).not.toContain(
    'Triggers',
  );
});

test('what ends a branch is not offered in the middle of a line', () => {
  const items = paletteGroups(exampleCatalog, '', { ...anywhere, hasInput: true, hasOutput: true }).flatMap((group) =>
    group.items.map((type) => type.id),
  );
  expect(items).toContain('core.if');
  expect(items).not.toContain('core.stop');
});

test('search finds by title, connector and words of either', () => {
  expect(paletteGroups(exampleCatalog, 'bill', anywhere)[0]?.items[0]?.id).toBe('quickbooks.create-bill');
  expect(paletteGroups(exampleCatalog, 'quick bill', anywhere)[0]?.items[0]?.id).toBe('quickbooks.create-bill');
  expect(paletteGroups(exampleCatalog, 'condition', anywhere)[0]?.items[0]?.id).toBe('core.if');
  expect(paletteGroups(exampleCatalog, 'zzz', anywhere)).toEqual([]);
});

test('the outline indents branches and shows meeting ways once', () => {
  let { document } = addNode(exampleFlow, typeOf('core.if'), { kind: 'edge', edgeId: 'approved:out:bill' });
  const line = (item: ReturnType<typeof outline>[number]) =>
    `${item.level}${item.kind === 'branch' ? `:${item.title}${item.open ? ' (open)' : ''}` : ` ${item.nodeId}${item.again ? ' again' : ''}`}`;
  expect(outline(document, exampleCatalog).map(line)).toEqual([
    '1 approved',
    '1 if',
    '2:If true',
    '3 bill',
    '3 shape',
    '2:Otherwise (open)',
  ]);
  document = connect(document, 'if', 'else', 'shape');
  expect(outline(document, exampleCatalog).map(line).slice(-2)).toEqual(['2:Otherwise', '3 shape again']);
});

test('a circle is shown, so that it can be repaired', () => {
  const circle = {
    ...exampleFlow,
    edges: [
      ...exampleFlow.edges.filter((edge) => edge.from !== 'approved'),
      { id: 'x', from: 'shape', port: 'out', to: 'bill' },
    ],
  };
  expect(
    outline(circle, exampleCatalog)
      .filter((item) => item.kind === 'step')
      .map((item) => item.nodeId),
  ).toEqual(['approved', 'bill', 'shape', 'bill']);
});

test('cards are said in words', () => {
  expect(operationOf(typeOf('quickbooks.create-bill'), exampleFlow.nodes['bill'] as never, exampleCatalog)).toBe(
    'Create a bill · QuickBooks Online',
  );
  expect(
    cardLabel({
      number: 3,
      name: 'Create the bill',
      operation: 'Create a bill · QuickBooks Online',
      status: 'failed',
      errors: 2,
      disabled: false,
    }),
  ).toBe('Step 3, Create the bill, Create a bill · QuickBooks Online, failed, 2 problems');
});

test('a condition made of rows is said in words on its card', () => {
  const condition = {
    kind: 'expression' as const,
    source: '($exists(trigger.record.total) and $moneyCompare(trigger.record.total, "10000.50") > 0)',
  };
  expect(operationOf(typeOf('core.if'), { type: 'core.if', inputs: { condition } }, exampleCatalog)).toBe(
    'If Total is more than 10,000.5',
  );
});
