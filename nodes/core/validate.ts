import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { checkData, isEmpty, isGroup, readerOf } from './rows.ts';
import { rules, say, testOf } from './rule.ts';

const PROBLEMS_MAX = 1_000;

/**
 * Checks a record, or every row of a list, against rules. What is wrong is not an error: the run leaves by `invalid` with the list of problems.
 * A field with nothing in it breaks only the rule that it has a value. Patterns are found anywhere in the text (use ^ and $ for all of it)
 * and run in linear time, so they know no look-around and no back-references.
 *
 * Errors: `rule_invalid` where a rule itself cannot be used, `data_invalid`, and what `checkData` throws.
 */
export const node = defineAction({
  id: 'core.validate',
  title: 'Check fields',
  description: 'Checks that fields are filled in and right, and lists what is wrong.',
  category: 'Data',
  icon: 'list-checks',
  effect: 'none',
  source: 'https://github.com/google/re2/wiki/Syntax',
  input: z.object({
    data: z.unknown().meta({ title: 'Data', description: 'A record, or a list of records.' }),
    rules: rules.meta({ title: 'Rules' }),
  }),
  output: z.object({
    data: z.unknown(),
    problems: z.array(
      z.object({ row: z.number().optional(), field: z.string(), rule: z.string(), message: z.string() }),
    ),
    count: z.number(),
  }),
  ports: [
    { id: 'valid', title: 'All right' },
    { id: 'invalid', title: 'Something is wrong' },
  ],
  example: { data: { number: 'A-1', total: '12.50' }, rules: [{ field: 'number', rule: 'required' }] },
  run({ input: { data, rules: wanted } }) {
    checkData(data, 'Data');
    const tests = wanted.map((rule, index) => ({ ...rule, read: readerOf(rule.field), holds: testOf(rule, index) }));
    const problems = [];
    let count = 0;
    for (const [index, record] of (Array.isArray(data) ? (data as unknown[]) : [data]).entries()) {
      const row = Array.isArray(data) ? { row: index + 1 } : {};
      if (!isGroup(record))
        throw badInput(
          'data_invalid',
          `${Array.isArray(data) ? `Row ${index + 1} of the data` : 'The data'} is ${shown(record)}, not a record. Give a record or a list of records.`,
        );
      for (const { field, rule, read, holds, message, value } of tests) {
        const found = read(record);
        if (rule === 'required' ? !isEmpty(found) : isEmpty(found) || holds(found)) continue;
        count += 1;
        if (problems.length < PROBLEMS_MAX)
          problems.push({ ...row, field, rule, message: message ?? say(rule, field, found, value) });
      }
    }
    return Promise.resolve({ output: { data, problems, count }, port: count === 0 ? 'valid' : 'invalid' });
  },
});
