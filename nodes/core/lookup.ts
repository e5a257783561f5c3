import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
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

/**
 * Translates a value by a table, for example a cost code into an account.
 * A value that is not in the table fails the step, so that a person adds it; or becomes the default; or leaves by the port `missing`.
 *
 * Errors: `lookup_missing`, `default_missing`; `row_duplicate` where the table has a value twice; `value_invalid` for a list or a group.
 */
export const node = defineAction({
  id: 'core.lookup',
  title: 'Look up',
  description: 'Translates a value by a table, for example a cost code into an account.',
  category: 'Data',
  icon: 'table-2',
  effect: 'none',
  input: z.object({
    value: z.unknown().meta({ title: 'Value' }),
    table: table.meta({ title: 'Table' }),
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
      .meta({ title: 'Default' }),
    ignoreCase: z
      .boolean()
      .default(true)
      .meta({ title: 'Capitals do not matter', description: 'Nor do spaces before and after.', advanced: true }),
  }),
  output: z.object({ value: z.union([z.string(), z.number()]).optional(), found: z.boolean(), from: z.unknown() }),
  ports: [
    { id: 'out', title: 'Then' },
    { id: 'missing', title: 'Not in the table' },
  ],
  example: { value: '03-100', table: [{ from: '03-100', to: '5100' }] },
  run({ input }) {
    const normalize = (text: string) => (input.ignoreCase ? text.trim().toLowerCase() : text);
    const known = new Map<string, string | number>();
    for (const [index, { from, to }] of input.table.entries()) {
      const key = normalize(String(from));
      if (known.has(key))
        throw badInput(
          'row_duplicate',
          `Row ${index + 1} of the table has ${shown(from)} again. Remove one of the two.`,
        );
      known.set(key, to);
    }
    const key = keyText(input.value);
    if (key === undefined)
      throw badInput(
        'value_invalid',
        `The value is ${shown(input.value)}, which no table has. Choose one field of it.`,
      );
    const from = input.value;
    const value = known.get(normalize(key ?? ''));
    if (value !== undefined) return Promise.resolve({ output: { value, found: true, from } });
    if (input.otherwise === 'port') return Promise.resolve({ output: { found: false, from }, port: 'missing' });
    if (input.otherwise === 'default') {
      if (input.default === undefined)
        throw badInput(
          'default_missing',
          `The table has no row for ${shown(from)}, and there is no default. Fill in one of the two.`,
        );
      return Promise.resolve({ output: { value: input.default, found: false, from } });
    }
    throw badInput(
      'lookup_missing',
      `The table has no row for ${shown(from)}. Add it to the table, publish and retry.`,
    );
  },
});
