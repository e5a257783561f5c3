import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import {
  changesOfValueMap,
  checkValueMap,
  keyOf,
  settled,
  valueMapLimits,
  type ValueMapProblem,
  type ValueMapTable,
} from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import type { ValueMapDraft, ValueMapSave } from '../contract/index.ts';
import { ApiError, notFound } from '../problem.ts';
import { readValueMap, rowsOf } from './read.ts';
import { readUses } from './usage.ts';

interface Who {
  readonly companyId: string;
  readonly actor: string;
  readonly now: Date;
}

/** @throws ApiError `name_taken`; what is wrong with its table; `invalid_transition` for one more than there may be. */
export async function createValueMap(tx: Transaction, who: Who, draft: ValueMapDraft): Promise<string> {
  const { companyId, actor } = who;
  const table = sound(draft);
  const { count } = await tx
    .selectFrom('value_maps')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('company_id', '=', companyId)
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (Number(count) >= valueMapLimits.maps)
    throw new ApiError('invalid_transition', `There are ${count} value maps, and that is as many as there may be.`, {
      fix: 'Delete those that no flow uses.',
    });
  await requireName(tx, companyId, draft.name);
  const { id } = await tx
    .insertInto('value_maps')
    .values({ company_id: companyId, name: draft.name, description: draft.description, removed_at: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  await write(tx, who, { id, number: 1, table, kept: new Map() });
  await appendAudit(tx, {
    ...{ actor, action: 'value_map.created', targetType: 'value_map', targetId: id },
    details: { name: draft.name, rows: table.rows.length },
  });
  return id;
}

/**
 * Saves a table as the next version; what did not change makes none.
 * @returns the version that answers now
 * @throws ApiError `not_found`; `revision_conflict` when somebody else was first; `name_taken`; what is wrong with the table.
 */
export async function saveValueMap(
  tx: Transaction,
  who: Who,
  work: {
    readonly id: string;
    /** The version it was read at. */
    readonly read: number;
    readonly given: ValueMapSave;
    /** The version that this goes back to. */
    readonly restored?: number;
  },
): Promise<number> {
  const { companyId, actor, now } = who;
  const { id, read, given, restored } = work;
  const map = await tx
    .selectFrom('value_maps')
    .select(['name', 'description', 'version'])
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!map) throw notFound('value map');
  if (map.version !== read)
    throw new ApiError('revision_conflict', `"${map.name}" has been saved by somebody else meanwhile.`, {
      fix: 'Load it again and repeat your change, or save over theirs.',
    });
  const table = sound(given);
  const renamed = map.name !== given.name || map.description !== given.description;
  if (renamed) {
    if (map.name !== given.name) await requireName(tx, companyId, given.name, id);
    await tx
      .updateTable('value_maps')
      .set({ name: given.name, description: given.description, updated_at: now })
      .where('company_id', '=', companyId)
      .where('id', '=', id)
      .execute();
  }
  const former = await tx
    .selectFrom('value_map_versions')
    .select(['columns', 'loose', 'otherwise'])
    .where('company_id', '=', companyId)
    .where('map_id', '=', id)
    .where('number', '=', map.version)
    .executeTakeFirstOrThrow();
  const kept = await rowsOf(tx, { companyId, id, version: map.version });
  const before: ValueMapTable = { ...former, rows: [...kept.values()] };
  const { added, changed, removed, shape } = changesOfValueMap(before, table);
  const counts = { added: added.length, changed: changed.length, removed: removed.length };
  const differs = shape || added.length + changed.length + removed.length > 0;
  const number = differs ? map.version + 1 : map.version;
  if (differs) {
    await write(tx, who, {
      ...{ id, number, table, kept, counts },
      ...(given.note ? { note: given.note } : {}),
      ...(restored === undefined ? {} : { restored }),
    });
    await tx
      .updateTable('value_maps')
      .set({ version: number, updated_at: now })
      .where('company_id', '=', companyId)
      .where('id', '=', id)
      .execute();
  }
  if (differs || renamed)
    await appendAudit(tx, {
      actor,
      action: restored === undefined ? 'value_map.saved' : 'value_map.restored',
      targetType: 'value_map',
      targetId: id,
      details: {
        ...{ name: given.name, version: number, ...counts },
        ...(map.name === given.name ? {} : { formerName: map.name }),
        ...(restored === undefined ? {} : { restored }),
      },
    });
  return number;
}

/** Takes it away; its versions stay for what was done with them. @throws ApiError `not_found`; `value_map_in_use`, with the flows. */
export async function removeValueMap(tx: Transaction, { companyId, actor, now }: Who, id: string): Promise<void> {
  const { name, version } = await readValueMap(tx, companyId, id);
  const uses = await readUses(tx, companyId, id);
  if (uses.length > 0) {
    const names = uses.slice(0, 5).map(({ flowName }) => `"${flowName}"`);
    const more = uses.length > 5 ? ` and ${uses.length - 5} more` : '';
    throw new ApiError('value_map_in_use', `"${name}" is used by ${names.join(', ')}${more}.`, {
      fix: 'Have those flows look up somewhere else and publish them, or delete them; then delete the value map.',
    });
  }
  await tx
    .updateTable('value_maps')
    .set({ removed_at: now })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .execute();
  await appendAudit(tx, {
    ...{ actor, action: 'value_map.deleted', targetType: 'value_map', targetId: id },
    details: { name, version },
  });
}

/** The table as it is kept. @throws ApiError with the code of the first thing that is wrong, and its place */
function sound(table: ValueMapTable): ValueMapTable {
  const problems = checkValueMap(table);
  if (problems.length > 0) throw refusal(problems);
  return settled(table);
}

/** What is wrong with a table as an error. */
export function refusal([first, ...others]: readonly ValueMapProblem[]): ApiError {
  const { code, message, row, column } = first as ValueMapProblem;
  const path = [...(row === undefined ? [] : ['rows', row]), ...(column === undefined ? [] : [column])].join('.');
  const more = others.length === 0 ? '' : ` And ${others.length}${others.length > 98 ? ' or more' : ''} more like it.`;
  return new ApiError(code, message + more, {
    ...(path ? { path } : {}),
    fix: 'Correct it and save again; nothing was saved.',
  });
}

async function requireName(tx: Transaction, companyId: string, name: string, but?: string): Promise<void> {
  const same = await tx
    .selectFrom('value_maps')
    .select('id')
    .where('company_id', '=', companyId)
    .where(sql`lower(name)`, '=', name.toLowerCase())
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (same && same.id !== but)
    throw new ApiError('name_taken', `There is a value map "${name}" already.`, {
      path: 'name',
      fix: 'Give it another name.',
    });
}

/** The next version, and the rows that begin and end with it. */
async function write(
  tx: Transaction,
  { companyId, actor, now }: Who,
  work: {
    readonly id: string;
    readonly number: number;
    readonly table: ValueMapTable;
    /** Rows of the version before, by their key. */
    readonly kept: ReadonlyMap<string, object>;
    readonly counts?: { readonly added: number; readonly changed: number; readonly removed: number };
    readonly note?: string;
    readonly restored?: number;
  },
): Promise<void> {
  const { id, number, table, kept, note, restored } = work;
  const { added, changed, removed } = work.counts ?? { added: table.rows.length, changed: 0, removed: 0 };
  await tx
    .insertInto('value_map_versions')
    .values({
      ...{ company_id: companyId, map_id: id, number, columns: json(table.columns), loose: table.loose },
      otherwise: table.otherwise && json(table.otherwise),
      ...{ row_count: table.rows.length, added, changed, removed },
      ...{ note: note ?? null, restored: restored ?? null, saved_by: actor, saved_at: now },
    })
    .execute();
  const wanted = new Map(table.rows.map((cells) => [keyOf(table, cells) ?? '', json(cells)]));
  const stays = new Set<string>();
  for (const [key, cells] of kept) if (wanted.get(key) === json(ordered(cells, table))) stays.add(key);
  const gone = [...kept.keys()].filter((key) => !stays.has(key));
  const come = [...wanted].filter(([key]) => !stays.has(key));
  if (gone.length > 0)
    await sql`
      update value_map_rows set until = ${number}
       where company_id = ${companyId} and map_id = ${id} and until is null
         and key in (select jsonb_array_elements_text(${json(gone)}::jsonb))`.execute(tx);
  if (come.length > 0)
    await sql`
      insert into value_map_rows (company_id, map_id, key, since, cells)
      select ${companyId}, ${id}, given.key, ${number}, given.cells
        from jsonb_to_recordset(${`[${come.map(([key, cells]) => `{"key":${JSON.stringify(key)},"cells":${cells}}`).join(',')}]`}::jsonb)
          as given (key text, cells jsonb)`.execute(tx);
}

/** As the database gives them back, its own order of keys is lost; cells of columns that are gone count. */
function ordered(cells: object, { columns }: ValueMapTable): object {
  const given = cells as Readonly<Record<string, unknown>>;
  const ids = columns.map(({ id }) => id);
  const known = Object.fromEntries(ids.map((id) => [id, given[id] ?? null]));
  return Object.keys(given).every((id) => ids.includes(id)) && ids.every((id) => Object.hasOwn(given, id))
    ? known
    : { ...known, ...given };
}
