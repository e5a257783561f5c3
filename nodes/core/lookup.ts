import { z } from 'zod';
import { ConnectorFailure, defineAction, type Platform } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { keyText } from './comparing.ts';

const table = z
  .array(
    z.object({
      from: z.union([z.string().max(500), z.number()]).meta({ title: 'From' }),
      to: z.union([z.string().max(500), z.number()]).meta({ title: 'To' }),
    }),
  )
  .min(1)
  .max(5_000);

const input = z.object({
  // First, because what the step hands on depends on it. Steps from before there were value maps have a table of their own.
  source: z
    .enum(['map', 'table'])
    .default('table')
    .meta({
      title: 'Look up in',
      labels: { map: 'A value map of the company', table: 'A table in this step' },
    }),
  map: z
    .object({ id: z.uuid().nullish(), name: z.string().max(120) })
    .optional()
    .meta({ title: 'Value map', choicesFrom: 'value_maps', shownWhen: { field: 'source', is: ['map'] } }),
  column: z
    .string()
    .max(80)
    .optional()
    .meta({
      title: 'Column',
      description: 'What to hand on as the value. Left empty: the first column that is no key.',
      choicesFrom: 'value_map_columns',
      shownWhen: { field: 'source', is: ['map'] },
    }),
  value: z.unknown().meta({
    title: 'Value',
    description: 'Where rows are found by several columns: an object with one field for each of them.',
  }),
  table: table.optional().meta({ title: 'Table', shownWhen: { field: 'source', is: ['table'] } }),
  otherwise: z
    .enum(['fail', 'default', 'port'])
    .default('fail')
    .meta({
      title: 'When it is not in the table',
      labels: { fail: 'Stop and ask', default: 'Use the default', port: 'Go the way "Not in the table"' },
    }),
  default: z
    .union([z.string().max(500), z.number()])
    .optional()
    .meta({ title: 'Default', shownWhen: { field: 'otherwise', is: ['default'] } }),
  ignoreCase: z
    .boolean()
    .default(true)
    .meta({
      title: 'Capitals do not matter',
      description: 'Nor do spaces before and after.',
      advanced: true,
      shownWhen: { field: 'source', is: ['table'] },
    }),
});

const cell = z.union([z.string(), z.number(), z.boolean()]).nullable();
const ofTable = z.object({
  value: z.union([z.string(), z.number()]).optional(),
  found: z.boolean(),
  from: z.unknown(),
});
const ofMap = z.object({
  value: cell.optional(),
  found: z.boolean(),
  from: z.unknown(),
  row: z.record(z.string(), cell).optional(),
  map: z.object({ id: z.string(), name: z.string(), version: z.int() }),
});
const outputs = { map: ofMap, table: ofTable } as const;
type Answer = { readonly output: z.infer<typeof ofTable> | z.infer<typeof ofMap>; readonly port?: string };

/**
 * Translates a value by a table, for example a cost code into an account: a value map of the company, as it is when the step runs, or a table of the
 * step's own. A value that is not there fails the step, so that a person adds it and retries; or becomes the default; or leaves by the port `missing`.
 * A value map with values for all others has them answer where the step would stop, and where it has no default of its own.
 *
 * Errors: `lookup_missing`, `default_missing`; `value_invalid` for a list or a group, or one without a key column; `row_duplicate` where its own table has
 * a value twice; `value_map_missing`, `column_missing` where the value map, or its column, is no longer there.
 */
export const node = defineAction({
  id: 'core.lookup',
  title: 'Look up',
  description: 'Translates a value by a table, for example a cost code into an account.',
  category: 'Data',
  icon: 'table-2',
  effect: 'none',
  input,
  // The richer first: the other would take it, and leave half of it out.
  output: z.union([ofMap, ofTable]),
  outputFor: ({ source }) => (source === 'map' || source === 'table' ? outputs[source] : undefined),
  ports: [
    { id: 'out', title: 'Then' },
    { id: 'missing', title: 'Not in the table' },
  ],
  example: { value: '03-100', table: [{ from: '03-100', to: '5100' }] },
  async run({ input: given, platform }): Promise<Answer> {
    return given.source === 'map' ? await inMap(given, platform) : inTable(given);
  },
});

function inTable(given: z.infer<typeof input>): Answer {
  const { ignoreCase, otherwise, value: from } = given;
  if (!given.table)
    throw badInput('required_missing', 'The step has no table to look into. Give it one, or choose a value map.');
  const normalize = (text: string) => (ignoreCase ? text.trim().toLowerCase() : text);
  const known = new Map<string, string | number>();
  for (const [index, row] of given.table.entries()) {
    const key = normalize(String(row.from));
    if (known.has(key))
      throw badInput(
        'row_duplicate',
        `Row ${index + 1} of the table has ${shown(row.from)} again. Remove one of the two.`,
      );
    known.set(key, row.to);
  }
  const key = keyText(from);
  if (key === undefined)
    throw badInput('value_invalid', `The value is ${shown(from)}, which no table has. Choose one field of it.`);
  const value = known.get(normalize(key ?? ''));
  if (value !== undefined) return { output: { value, found: true, from } };
  if (otherwise === 'port') return { output: { found: false, from }, port: 'missing' };
  if (otherwise === 'default') {
    if (given.default === undefined)
      throw badInput(
        'default_missing',
        `The table has no row for ${shown(from)}, and there is no default. Fill in one of the two.`,
      );
    return { output: { value: given.default, found: false, from } };
  }
  throw badInput('lookup_missing', `The table has no row for ${shown(from)}. Add it to the table, publish and retry.`);
}

async function inMap(given: z.infer<typeof input>, platform: Platform | undefined): Promise<Answer> {
  if (!platform) throw new Error('This step needs the platform');
  const { map: chosen, value: from, otherwise } = given;
  const answer = chosen?.id ? await platform.lookUp({ map: chosen.id, value: from }) : undefined;
  if (!answer)
    throw stopped(
      'value_map_missing',
      chosen ? `There is no value map "${chosen.name}".` : 'The step has no value map to look into.',
      'Choose one in the flow and publish; then start the run again with the new version.',
    );
  const { map, columns, row } = answer;
  const column = given.column ? columns.find(({ id }) => id === given.column) : columns[0];
  if (!column)
    throw stopped(
      'column_missing',
      `The value map "${map.name}" has no column "${given.column}".`,
      `Give it that column and retry, or choose one of ${columns.map(({ title }) => `"${title}"`).join(', ')} in the flow.`,
    );
  if (row) return { output: { value: row[column.id] ?? null, found: true, from, row, map } };
  if (otherwise === 'port') return { output: { found: false, from, map }, port: 'missing' };
  if (otherwise === 'default' && given.default !== undefined)
    return { output: { value: given.default, found: false, from, map } };
  if (answer.otherwise)
    return {
      output: { value: answer.otherwise[column.id] ?? null, found: false, from, row: answer.otherwise, map },
    };
  const missing = `The value map "${map.name}" has no row for ${answer.key}`;
  if (otherwise === 'default')
    throw stopped(
      'default_missing',
      `${missing}, and there is no default.`,
      'Add the row to the value map and retry, or give the step a default.',
    );
  throw stopped(
    'lookup_missing',
    `${missing}.`,
    'Add the row to the value map, then retry: the step reads it as it is then.',
  );
}

function stopped(code: string, message: string, fix: string): ConnectorFailure {
  return new ConnectorFailure({ kind: 'invalid', code, message, fix });
}
