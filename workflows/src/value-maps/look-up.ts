import type { Store } from '@plumbline/db';
import { ConnectorFailure, type ValueMapAnswer } from '@plumbline/nodes';
import { keyOf, shownKey, type ValueMapColumn } from '../flow/value-map.ts';

/**
 * What a value map has for a value, in the version that stands when it is asked. A row is one probe of an index, however long the table is.
 * @returns undefined when the company has no such map, or has removed it
 * @throws ConnectorFailure `value_invalid` for a value that is none of its keys
 */
export async function lookUp(
  store: Store,
  companyId: string,
  { map: id, value }: { readonly map: string; readonly value: unknown },
): Promise<ValueMapAnswer | undefined> {
  return await store.tenant(companyId, async (tx) => {
    const map = await tx
      .selectFrom('value_maps')
      .innerJoin('value_map_versions as version', (join) =>
        join
          .onRef('version.company_id', '=', 'value_maps.company_id')
          .onRef('version.map_id', '=', 'value_maps.id')
          .onRef('version.number', '=', 'value_maps.version'),
      )
      .select(['value_maps.name', 'value_maps.version', 'version.columns', 'version.loose', 'version.otherwise'])
      .where('value_maps.company_id', '=', companyId)
      .where('value_maps.id', '=', id)
      .where('value_maps.removed_at', 'is', null)
      .executeTakeFirst();
    if (!map) return undefined;
    const { name, version, columns, loose, otherwise } = map;
    const values = keyValues(columns, value, name);
    const key = keyOf({ columns, loose }, values);
    // A number column has no row for a text, and nobody a row for nothing.
    const row =
      key === undefined
        ? undefined
        : await tx
            .selectFrom('value_map_rows')
            .select('cells')
            .where('company_id', '=', companyId)
            .where('map_id', '=', id)
            .where('key', '=', key)
            .where('since', '<=', version)
            .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', version)]))
            .executeTakeFirst();
    return {
      map: { id, name, version },
      key: shownKey({ columns }, values),
      columns: columns.filter((column) => !column.key).map(({ id: column, title }) => ({ id: column, title })),
      ...(row ? { row: row.cells } : {}),
      ...(otherwise ? { otherwise } : {}),
    };
  });
}

/** A value by key column: itself where there is one, else the fields of a group, by id or title, or the entries of a list. */
function keyValues(
  columns: readonly ValueMapColumn[],
  value: unknown,
  name: string,
): Readonly<Record<string, unknown>> {
  const keys = columns.filter(({ key }) => key);
  const titles = keys.map(({ title }) => `"${title}"`).join(', ');
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
  const group = (isGroup ? value : {}) as Readonly<Record<string, unknown>>;
  const values = Object.fromEntries(
    keys.map(({ id, title }, index) => {
      if (Array.isArray(value)) return [id, value.length === keys.length ? (value[index] as unknown) : undefined];
      if (!isGroup) return [id, keys.length === 1 ? value : undefined];
      return [id, Object.hasOwn(group, id) ? group[id] : Object.hasOwn(group, title) ? group[title] : undefined];
    }),
  );
  const [unfit] = keys.filter(({ id }) => values[id] === undefined || typeof values[id] === 'object');
  if (!unfit || (keys.length === 1 && (value === null || value === undefined))) return values;
  if (values[unfit.id] === null) return values;
  throw new ConnectorFailure({
    kind: 'invalid',
    code: 'value_invalid',
    message:
      keys.length === 1
        ? `Rows of the value map "${name}" are found by ${titles}, and the value is ${Array.isArray(value) ? 'a list' : 'a group of fields'} without it. Choose one field of it.`
        : `Rows of the value map "${name}" are found by ${titles}, and the value has nothing for "${unfit.title}". Give an object with one field for each.`,
  });
}
