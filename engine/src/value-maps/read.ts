import type { Transaction } from '@plumbline/db';
import { changesOfValueMap, inOrder, type ValueMapInfo, type ValueMapTable } from '@plumbline/workflows/flow';
import type { ValueMapDetail, ValueMapDiff, ValueMapSummary, ValueMapVersion } from '../contract/index.ts';
import { notFound } from '../problem.ts';
import { countUses } from './usage.ts';

/** All value maps of the company, by name. */
export async function listValueMaps(tx: Transaction, companyId: string): Promise<ValueMapSummary[]> {
  const uses = await countUses(tx, companyId);
  const rows = await current(tx, companyId).orderBy('value_maps.name').execute();
  return rows.map((row) => ({ ...summarize(row), flows: uses.get(row.id) ?? 0 }));
}

/** All value maps of the company, as far as flows depend on them. */
export async function readValueMapInfos(tx: Transaction, companyId: string): Promise<ValueMapInfo[]> {
  const rows = await current(tx, companyId).execute();
  return rows.map(({ id, name, columns }) => ({ id, name, columns }));
}

/** @throws ApiError `not_found` */
export async function readValueMap(
  tx: Transaction,
  companyId: string,
  id: string,
  version?: number,
): Promise<ValueMapDetail> {
  const row = await current(tx, companyId).where('value_maps.id', '=', id).executeTakeFirst();
  if (!row) throw notFound('value map');
  const shown =
    version === undefined || version === row.version
      ? row
      : await tx
          .selectFrom('value_map_versions')
          .select(['number as version', 'columns', 'loose', 'otherwise', 'row_count', 'saved_by', 'saved_at'])
          .where('company_id', '=', companyId)
          .where('map_id', '=', id)
          .where('number', '=', version)
          .executeTakeFirst();
  if (!shown) throw notFound('version');
  const cells = await rowsOf(tx, { companyId, id, version: shown.version });
  return {
    ...summarize({ ...row, ...shown }),
    latest: row.version,
    loose: shown.loose,
    otherwise: shown.otherwise,
    rows: inOrder([...cells.values()], shown.columns),
  };
}

/** Rows of a version by their key. */
export async function rowsOf(
  tx: Transaction,
  { companyId, id, version }: { readonly companyId: string; readonly id: string; readonly version: number },
): Promise<Map<string, ValueMapTable['rows'][number]>> {
  const rows = await tx
    .selectFrom('value_map_rows')
    .select(['key', 'cells'])
    .where('company_id', '=', companyId)
    .where('map_id', '=', id)
    .where('since', '<=', version)
    .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', version)]))
    .execute();
  return new Map(rows.map(({ key, cells }) => [key, cells]));
}

/** Newest first. @throws ApiError `not_found` */
export async function readValueMapVersions(tx: Transaction, companyId: string, id: string): Promise<ValueMapVersion[]> {
  const rows = await tx
    .selectFrom('value_map_versions')
    .innerJoin('value_maps', (join) =>
      join
        .onRef('value_maps.company_id', '=', 'value_map_versions.company_id')
        .onRef('value_maps.id', '=', 'value_map_versions.map_id'),
    )
    .selectAll('value_map_versions')
    .where('value_map_versions.company_id', '=', companyId)
    .where('value_map_versions.map_id', '=', id)
    .where('value_maps.removed_at', 'is', null)
    .orderBy('number', 'desc')
    .execute();
  if (rows.length === 0) throw notFound('value map');
  return rows.map((row) => ({
    number: row.number,
    savedBy: row.saved_by,
    savedAt: row.saved_at.toISOString(),
    note: row.note,
    restored: row.restored,
    rowCount: row.row_count,
    added: row.added,
    changed: row.changed,
    removed: row.removed,
  }));
}

/** What differs between two versions; before the first one there was nothing. @throws ApiError `not_found` */
export async function diffValueMap(
  tx: Transaction,
  wanted: { readonly companyId: string; readonly id: string; readonly from: number; readonly to: number },
): Promise<ValueMapDiff> {
  const { companyId, id, from, to } = wanted;
  const after = await readValueMap(tx, companyId, id, to);
  const before =
    from === 0
      ? { columns: after.columns, loose: after.loose, otherwise: null, rows: [] }
      : await readValueMap(tx, companyId, id, from);
  return { from, to, columns: after.columns, ...changesOfValueMap(before, after) };
}

function current(tx: Transaction, companyId: string) {
  return tx
    .selectFrom('value_maps')
    .innerJoin('value_map_versions as live', (join) =>
      join
        .onRef('live.company_id', '=', 'value_maps.company_id')
        .onRef('live.map_id', '=', 'value_maps.id')
        .onRef('live.number', '=', 'value_maps.version'),
    )
    .select([
      'value_maps.id',
      'value_maps.name',
      'value_maps.description',
      'value_maps.version',
      'live.columns',
      'live.loose',
      'live.otherwise',
      'live.row_count',
      'live.saved_by',
      'live.saved_at',
    ])
    .where('value_maps.company_id', '=', companyId)
    .where('value_maps.removed_at', 'is', null);
}

function summarize(row: Awaited<ReturnType<ReturnType<typeof current>['execute']>>[number]) {
  const { id, name, description, version, columns } = row;
  return {
    ...{ id, name, description, version, columns },
    rowCount: row.row_count,
    updatedAt: row.saved_at.toISOString(),
    updatedBy: row.saved_by,
  };
}
