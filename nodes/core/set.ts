import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { checkedData, fieldName, groupField, groupOf, readerOf, refuseReserved } from './rows.ts';

const fields = z
  .array(
    z.object({
      name: fieldName.meta({ title: 'Name' }),
      kind: z
        .enum(['text', 'number', 'yes-no', 'field', 'json'])
        .default('text')
        .meta({
          title: 'Kind',
          labels: {
            text: 'Text',
            number: 'Number',
            'yes-no': 'Yes or no',
            field: 'A field of the data',
            json: 'Anything, as JSON',
          },
        }),
      value: z
        .union([z.string().max(10_000), z.number()])
        .default('')
        .meta({ title: 'Value' }),
    }),
  )
  .min(1)
  .max(200);
type Field = z.infer<typeof fields>[number];

/**
 * Builds one group of fields: names chosen here, values given or taken from data.
 *
 * Errors: `reserved_key`, `name_duplicate`, `group_invalid`; `value_invalid` where a value is not of its kind; `field_missing` where the data
 * lacks a field that is to be taken over.
 */
export const node = defineAction({
  id: 'core.set',
  title: 'Set fields',
  description: 'Builds a record from fields you name.',
  category: 'Data',
  icon: 'text-cursor-input',
  effect: 'none',
  input: z.object({
    fields: fields.meta({ title: 'Fields' }),
    data: groupField({ title: 'Data', description: 'The record that fields are taken from.' }).optional(),
    keep: z
      .boolean()
      .default(false)
      .meta({ title: 'Keep the rest', description: 'Start with all fields of the data, and change only those above.' }),
  }),
  output: z.record(z.string(), z.unknown()),
  example: { fields: [{ name: 'vendor', kind: 'field', value: 'vendorName' }], data: { vendorName: 'Acme Lumber' } },
  run({ input }) {
    const data = groupOf(input.data ?? {}, 'Data');
    const output: Record<string, unknown> = input.keep ? { ...data } : {};
    const named = new Set<string>();
    for (const [index, field] of input.fields.entries()) {
      refuseReserved(field.name, `Field ${index + 1}`);
      if (named.has(field.name))
        throw badInput('name_duplicate', `Two fields are called "${field.name}". Remove or rename one of them.`);
      named.add(field.name);
      output[field.name] = valueOf(field, data);
    }
    return Promise.resolve({ output });
  },
});

function valueOf({ name, kind, value }: Field, data: unknown): unknown {
  const text = String(value).trim();
  const refuse = (what: string) =>
    badInput(
      'value_invalid',
      `The value of "${name}" is ${shown(value)}, which is not ${what}. Correct it in the step.`,
    );
  switch (kind) {
    case 'text':
      return String(value);
    case 'number':
      if (!/^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/.test(text))
        throw refuse('a number like 1200 or 0.5; keep amounts and long numbers as text');
      return Number(text);
    case 'yes-no':
      if (!/^(true|false|yes|no)$/i.test(text)) throw refuse('yes or no');
      return /^(true|yes)$/i.test(text);
    case 'field': {
      const found = readerOf(text)(data);
      if (text === '' || found === undefined)
        throw badInput(
          'field_missing',
          `"${name}" takes ${shown(text)}, which the data does not have. Name a field that it has.`,
        );
      return found;
    }
    case 'json':
      try {
        return checkedData(JSON.parse(text), name);
      } catch (cause) {
        throw cause instanceof SyntaxError ? refuse('JSON') : cause;
      }
  }
}
