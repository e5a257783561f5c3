import type { Problem, ValueMapDetail, ValueMapImported } from '@plumbline/engine/contract';
import { changesOfValueMap, checkValueMap, settled, type ValueMapProblem } from '@plumbline/workflows/flow';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { resource, type Resource } from '../api/resource.svelte.ts';
import { tellDone } from '../tell.ts';
import { addRow, differs, filled, gridOf, search, tableOf, type Grid } from './grid.ts';

/** So many rows are drawn at once. */
const PAGE = 50;

/** One value map under the reader's hands: what was read, what is changed in it, and saving that. */
export class MapPage {
  readonly map: Resource<ValueMapDetail>;
  grid = $state.raw<Grid>();
  name = $state('');
  description = $state('');
  typed = $state('');
  /** Page of rows, from 0. */
  page = $state(0);
  saving = $state(false);
  /** Why it could not be saved. */
  problem = $state.raw<Problem>();
  /** Row whose first cell is to get the focus. */
  focus = $state<number>();
  readonly #id: () => string;
  #begun: string | undefined;

  /** Call while a component is set up. `begin` names a key for which a row is begun. */
  constructor(id: () => string, begin: () => string | undefined) {
    this.#id = id;
    this.#begun = begin();
    this.map = resource(async () => {
      const read = await api.valueMaps.get(id());
      if (!this.grid || !this.dirty) this.#take(read);
      return read;
    });
  }

  readonly dirty = $derived.by(() => {
    const read = this.map.value;
    if (!read || !this.grid) return false;
    return this.name !== read.name || this.description !== read.description || differs(this.grid, read);
  });

  readonly problems = $derived.by((): readonly ValueMapProblem[] =>
    this.grid ? checkValueMap(tableOf(this.grid)) : [],
  );
  /** Which cells are wrong, and why: `<row>/<column>`, or `<row>/` for a row as a whole. */
  readonly wrong = $derived.by(() => {
    const rows = this.grid ? filled(this.grid.rows) : [];
    return new Map(
      this.problems.map(({ row, column = '', message }) => [
        `${row === undefined ? 'others' : rows[row]?.id}/${column}`,
        message,
      ]),
    );
  });

  readonly found = $derived.by(() => search(this.grid?.rows ?? [], this.typed));
  readonly pages = $derived.by(() => Math.max(1, Math.ceil(this.found.length / PAGE)));
  readonly shown = $derived.by(() => {
    const at = Math.min(this.page, this.pages - 1);
    return { from: at * PAGE, rows: this.found.slice(at * PAGE, (at + 1) * PAGE) };
  });

  /** What saving would change; nothing while something is wrong. */
  changes() {
    const { grid } = this;
    const read = this.map.value;
    if (!grid || !read || this.problems.length > 0) return undefined;
    return changesOfValueMap(settled(read), settled(tableOf(grid)));
  }

  add(cells: Readonly<Record<string, string>> = {}): void {
    if (!this.grid) return;
    this.typed = '';
    this.focus = this.grid.next;
    this.grid = addRow(this.grid, cells);
    this.page = this.pages - 1;
  }

  /** @returns whether it is saved */
  async save(note: string, over = false): Promise<boolean> {
    const { grid } = this;
    const read = this.map.value;
    if (!grid || !read) return false;
    this.saving = true;
    this.problem = undefined;
    try {
      const version = over ? (await api.valueMaps.get(this.#id())).version : read.version;
      const saved = await api.valueMaps.save(this.#id(), version, {
        ...{ name: this.name, description: this.description },
        ...tableOf(grid),
        ...(note.trim() ? { note: note.trim() } : {}),
      });
      this.#show(saved);
      tellDone(saved.version === read.version ? 'Saved.' : `Saved as version ${saved.version}.`);
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.saving = false;
    }
  }

  /** Throws the changes away, and shows what stands in the engine now. */
  async discard(): Promise<void> {
    this.problem = undefined;
    this.grid = undefined;
    await this.map.refresh();
  }

  /** @throws ApiProblem */
  async restore(number: number): Promise<void> {
    const read = this.map.value;
    if (!read) return;
    const saved = await api.valueMaps.restore(this.#id(), read.version, number);
    this.#show(saved);
    tellDone(`Back to version ${number}, as version ${saved.version}.`);
  }

  /** Puts the rows of a file into the table; they are saved with everything else. */
  takeRows({ rows }: ValueMapImported): void {
    const read = this.map.value;
    if (!read || !this.grid) return;
    const { columns, loose, otherwise } = tableOf(this.grid);
    this.grid = gridOf({ columns, loose, otherwise, rows });
    this.page = 0;
    this.typed = '';
  }

  #show(saved: ValueMapDetail): void {
    this.map.set(saved);
    this.#take(saved);
  }

  #take(read: ValueMapDetail): void {
    this.grid = gridOf(read);
    this.name = read.name;
    this.description = read.description;
    const key = this.#begun;
    this.#begun = undefined;
    const first = read.columns.find((column) => column.key);
    if (key === undefined || !first) return;
    const there = this.grid.rows.find(({ cells }) => cells[first.id]?.toLowerCase() === key.trim().toLowerCase());
    if (there) this.typed = key;
    else this.add({ [first.id]: key });
  }
}
