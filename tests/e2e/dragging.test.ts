import type { FlowDetail } from '@plumbline/engine/contract';
import type { FlowDocument } from '@plumbline/workflows/flow';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { node } from '../support/webhook-flow.ts';
import { visitInParts } from './in-parts.ts';
import { objections, eventually, gone, see } from './looking.ts';

const shared = visitInParts();
let page: Page;
let flowId = '';

const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** start → first → loop ( inner ) → scope ( kept ) → last */
const document: FlowDocument = {
  schema: 1,
  params: {},
  connections: {},
  nodes: {
    start: node('core.manual', 'Start'),
    first: node('core.map', 'First', { value: '={"n": 1}' }),
    loop: node('core.for-each', 'Loop', { items: '=[1, 2]' }),
    inner: node('core.map', 'Inner', { value: '={"n": 2}' }, { parent: 'loop' }),
    scope: node('core.scope', 'Together'),
    kept: node('core.map', 'Kept', { value: '={"n": 3}' }, { parent: 'scope' }),
    last: node('core.map', 'Last', { value: '={"n": 4}' }),
  },
  edges: [
    ...[edge('start', 'first'), edge('first', 'loop'), edge('loop', 'inner', 'each'), edge('loop', 'scope')],
    ...[edge('scope', 'kept', 'each'), edge('scope', 'last')],
  ],
  positions: {
    ...{ start: { x: 0, y: 0 }, first: { x: 0, y: 150 }, loop: { x: 0, y: 300 }, inner: { x: 0, y: 450 } },
    ...{ scope: { x: 0, y: 690 }, kept: { x: 0, y: 840 }, last: { x: 0, y: 1_080 } },
  },
};

beforeAll(async () => {
  ({ page } = shared);
  const client = await shared.studio.up.client();
  const flow = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Dragged' });
  flowId = flow.id;
  await client.call(
    'PUT',
    `/api/flows/${flowId}/draft`,
    { name: 'Dragged', document },
    { 'If-Match': `"${flow.revision}"` },
  );
});

const canvas = (): Locator => page.getByRole('region', { name: 'Canvas' });
const byId = (id: string): Locator => canvas().locator(`.svelte-flow__node[data-id="${id}"]`);

interface Spot {
  readonly x: number;
  readonly y: number;
}

async function boxOf(id: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await byId(id).boundingBox();
  if (!box) throw new Error(`There is no card ${id}`);
  return box;
}

/** Where a step is taken by: the middle of its card, or of the head of its frame. */
async function gripOf(id: string): Promise<Spot> {
  const zoom = await page
    .locator('.svelte-flow__viewport')
    .evaluate((element) => new DOMMatrix(getComputedStyle(element).transform).a);
  const { x, y, width } = await boxOf(id);
  return { x: x + width / 2, y: y + 30 * zoom };
}

/** Clicks a card; what opens for it is closed again. */
async function choose(id: string): Promise<void> {
  const at = await gripOf(id);
  await page.mouse.click(at.x, at.y);
  await page.keyboard.press('Escape');
  await eventually(() => byId(id).evaluate((card) => card.matches('.selected')), true);
}

/** Takes a card by the mouse and lets it go elsewhere; `before` looks at the drawing while it still hangs there. */
async function drag(id: string, to: Spot, before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const from = await gripOf(id);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 5 });
  await page.mouse.move(to.x, to.y, { steps: 5 });
  await before();
  await page.mouse.up();
}

/** What was saved, as lines and as what stands in what. */
async function saved(): Promise<{ readonly lines: string[]; readonly parents: Record<string, string> }> {
  const client = await shared.studio.up.client();
  const { draft } = await client.call<FlowDetail>('GET', `/api/flows/${flowId}`);
  return {
    lines: draft.edges.map(({ from, port, to }) => `${from}.${port}>${to}`).sort(),
    parents: Object.fromEntries(
      Object.entries(draft.nodes).flatMap(([id, { parent }]) => (parent ? [[id, parent]] : [])),
    ),
  };
}

const parentOf = async (id: string): Promise<string | undefined> => (await saved()).parents[id];
const isTarget = (id: string): Promise<boolean> =>
  byId(id)
    .locator('.frame')
    .evaluate((frame) => frame.classList.contains('target'));

async function noViolations(): Promise<void> {
  expect(await objections(page)).toEqual([]);
}

/** A free spot in a frame, beside the steps in it. */
async function insideOf(id: string): Promise<Spot> {
  const { x, y, width, height } = await boxOf(id);
  return { x: x + width / 2, y: y + height - 16 };
}

/** Empty paper, to the left of everything. */
async function outside(): Promise<Spot> {
  const [paper, frame] = [await canvas().boundingBox(), await boxOf('loop')];
  return { x: ((paper?.x ?? 0) + frame.x) / 2, y: frame.y + 40 };
}

async function undo(): Promise<void> {
  await page.keyboard.press('Control+z');
  await eventually(async () => (await saved()).lines, drawn);
}

const drawn = document.edges.map(({ from, port, to }) => `${from}.${port}>${to}`).sort();

describe('a step that is dragged', () => {
  test('into a loop is shown where it would fall, and goes on where the steps of the loop end', async () => {
    await page.goto(`/flows/${flowId}`);
    await see(byId('last'), page.getByRole('button', { name: 'Problems: none' }));
    await drag('first', await insideOf('loop'), async () => {
      await eventually(() => isTarget('loop'), true);
      expect(await isTarget('scope')).toBe(false);
    });
    expect(await isTarget('loop')).toBe(false);
    await eventually(() => parentOf('first'), 'loop');
    expect((await saved()).lines).toEqual([
      ...[
        'inner.out>first',
        'loop.each>inner',
        'loop.out>scope',
        'scope.each>kept',
        'scope.out>last',
        'start.out>loop',
      ],
    ]);
    await see(page.getByRole('button', { name: 'Problems: none' }));
    await undo();
  });

  test('out of a loop stands behind it, and before what followed', async () => {
    await drag('inner', await outside(), async () => {
      expect(await isTarget('loop')).toBe(false);
      expect(await isTarget('scope')).toBe(false);
    });
    await eventually(() => parentOf('inner'), undefined);
    expect((await saved()).lines).toContain('loop.out>inner');
    expect((await saved()).lines).toContain('inner.out>scope');
    await undo();
  });

  test('from a loop into a scope leaves the one and joins the other', async () => {
    await drag('inner', await insideOf('scope'), () => eventually(() => isTarget('scope'), true));
    await eventually(() => parentOf('inner'), 'scope');
    expect((await saved()).lines).toContain('kept.out>inner');
    await undo();
  });

  test('within its loop stays in it, where it was put', async () => {
    const before = await gripOf('inner');
    await drag('inner', { x: before.x + 30, y: before.y + 10 });
    await eventually(async () => Math.round((await gripOf('inner')).x - before.x) > 0, true);
    expect(await parentOf('inner')).toBe('loop');
    await undo();
  });

  test('hardly at all is only clicked', async () => {
    const at = await gripOf('kept');
    await page.mouse.click(at.x, at.y);
    await see(page.getByRole('textbox', { name: 'Name of the step' }).or(page.getByRole('heading', { name: 'Kept' })));
    await page.keyboard.press('Escape');
    expect((await saved()).lines).toEqual(drawn);
  });

  test('goes together with others that are chosen, at any zoom', async () => {
    await page.getByRole('button', { name: 'Farther' }).click();
    await page.waitForTimeout(400);
    const paper = await outside();
    await page.mouse.click(paper.x, paper.y);
    for (const id of ['first', 'last']) await byId(id).click({ modifiers: ['Control'] });
    await drag('first', await insideOf('loop'), () => eventually(() => isTarget('loop'), true));
    await eventually(async () => (await saved()).parents, {
      ...{ first: 'loop', inner: 'loop', kept: 'scope', last: 'loop' },
    });
    await undo();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Fit the flow' }).click();
    await page.waitForTimeout(400);
  });

  test('and is a trigger goes into no loop', async () => {
    await drag('start', await insideOf('loop'), async () => {
      expect(await isTarget('loop')).toBe(false);
    });
    await page.keyboard.press('Control+z');
    expect(await parentOf('start')).toBeUndefined();
    expect((await saved()).lines).toEqual(drawn);
  });
});

describe('a loop that is dragged by its head', () => {
  test('takes its steps along', async () => {
    const [before, inner] = [await gripOf('loop'), await gripOf('inner')];
    await drag('loop', { x: before.x - 120, y: before.y });
    await eventually(
      async () => Math.round(inner.x - (await gripOf('inner')).x),
      Math.round(before.x - (await gripOf('loop')).x),
    );
    expect((await saved()).parents).toEqual({ inner: 'loop', kept: 'scope' });
    await page.keyboard.press('Control+z');
  });

  test('into a scope stands in it with its steps, and comes out again', async () => {
    await drag('loop', await insideOf('scope'), () => eventually(() => isTarget('scope'), true));
    await eventually(() => parentOf('loop'), 'scope');
    const inside = await saved();
    expect(inside.parents).toEqual({ inner: 'loop', kept: 'scope', loop: 'scope' });
    expect(inside.lines).toContain('kept.out>loop');
    await see(page.getByRole('button', { name: 'Problems: none' }));
    await page.getByRole('button', { name: 'Fit the flow' }).click();
    await page.waitForTimeout(400);
    const frame = await boxOf('scope');
    await drag('loop', { x: frame.x - 120, y: frame.y + 40 });
    await eventually(() => parentOf('loop'), undefined);
    expect((await saved()).parents).toEqual({ inner: 'loop', kept: 'scope' });
  });

  test('into itself goes nowhere', async () => {
    const lines = await saved();
    await drag('loop', await insideOf('loop'));
    expect((await saved()).parents).toEqual(lines.parents);
    await gone(page.getByRole('dialog'));
  });
});

describe('a step that is not dragged', () => {
  test('is put into a scope from the palette', async () => {
    const { lines } = await saved();
    await choose('last');
    await page.keyboard.press('/');
    const palette = page.getByRole('dialog', { name: 'Add a step' });
    await see(palette);
    await page.keyboard.type('scope');
    await palette
      .getByRole('group', { name: 'With “Last” inside' })
      .getByRole('option', { name: /^Scope/ })
      .click();
    await gone(palette);
    await eventually(() => parentOf('last'), 'scope_2');
    expect((await saved()).lines).toContain('scope_2.each>last');
    await see(page.getByRole('combobox', { name: 'When a step fails' }));
    await noViolations();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+z');
    await eventually(async () => (await saved()).lines, lines);
  });
});
