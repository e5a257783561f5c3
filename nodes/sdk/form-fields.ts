import { z } from 'zod';

/** How a declared field is filled in. */
export const formFieldTypes = ['text', 'number', 'date', 'choice', 'yes_no', 'record'] as const;

/** By which expressions know a field. */
export const shortName = z
  .string()
  .regex(/^(?!constructor$|prototype$)[a-z][a-z0-9_]{0,47}$/, 'Use a lower-case letter, then letters, digits or _.')
  .meta({ title: 'Short name' });

/** Fields that the one who draws declares, and others fill in: a person in a dialog, or a program in a call. */
export function formFieldsSchema<E extends string>(
  entities: readonly [E, ...E[]],
  labels: Readonly<Record<string, string>>,
) {
  return z
    .array(
      z.object({
        id: shortName,
        title: z.string().min(1).max(80).meta({ title: 'Title' }),
        type: z
          .enum(formFieldTypes)
          .default('text')
          .meta({
            title: 'Kind',
            labels: {
              text: 'Text',
              number: 'Number',
              date: 'Date',
              choice: 'Choice',
              yes_no: 'Yes or no',
              record: 'Record',
            },
          }),
        required: z.boolean().optional().meta({ title: 'Must be given' }),
        choices: z
          .string()
          .max(2_000)
          .optional()
          .meta({
            title: 'Choices, with commas',
            shownWhen: { field: 'type', is: ['choice'] },
          }),
        entity: z
          .enum(entities)
          .optional()
          .meta({ title: 'Of what', labels, shownWhen: { field: 'type', is: ['record'] } }),
      }),
    )
    .max(30);
}

export interface FormField {
  readonly id: string;
  readonly title: string;
  readonly type: (typeof formFieldTypes)[number];
  readonly required?: boolean | undefined;
  readonly choices?: string | undefined;
  readonly entity?: string | undefined;
}

export interface FormProblem {
  /** Id of the field. */
  readonly field: string;
  readonly code: 'invalid_input' | 'unknown_field';
  readonly message: string;
  readonly fix: string;
}

/** The choices of a field, as they were written down. */
export function choicesOf(field: Pick<FormField, 'choices'>): readonly string[] {
  return (field.choices ?? '')
    .split(/[,\n]/)
    .map((choice) => choice.trim())
    .filter((choice) => choice !== '');
}

/**
 * Checks what was filled in. Empty text counts as not given; a record is only checked to be an id here.
 * @returns the values that were given, or the first thing that is wrong.
 */
export function checkForm(
  fields: readonly FormField[],
  values: Readonly<Record<string, unknown>>,
): { readonly values: Readonly<Record<string, unknown>> } | { readonly problem: FormProblem } {
  const known = new Set(fields.map(({ id }) => id));
  const unknown = Object.keys(values).find((id) => !known.has(id));
  if (unknown !== undefined)
    return {
      problem: {
        field: unknown.slice(0, 100),
        code: 'unknown_field',
        message: `There is no field "${unknown.slice(0, 100)}".`,
        fix: fields.length === 0 ? 'Give no values.' : `The fields are ${[...known].join(', ')}.`,
      },
    };
  const given: Record<string, unknown> = {};
  for (const field of fields) {
    const value = Object.hasOwn(values, field.id) ? values[field.id] : undefined;
    if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) {
      if (!field.required) continue;
      return wrong(field, 'is missing', 'Fill it in.');
    }
    const checked = checkValue(field, value);
    if ('problem' in checked) return checked;
    given[field.id] = checked.value;
  }
  return { values: given };
}

type Checked = { readonly value: unknown } | { readonly problem: FormProblem };

function checkValue(field: FormField, value: unknown): Checked {
  switch (field.type) {
    case 'text':
      if (typeof value !== 'string') return wrong(field, 'must be text', 'Give it as text.');
      return value.length <= 10_000 ? { value } : wrong(field, 'is longer than 10,000 characters', 'Shorten it.');
    case 'number': {
      const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) return { value: number };
      return wrong(field, 'must be a number', 'Write it in digits, such as 1250.50.');
    }
    case 'date':
      return typeof value === 'string' && z.iso.date().safeParse(value).success
        ? { value }
        : wrong(field, 'must be a day that exists', 'Write it as year-month-day, such as 2026-12-01.');
    case 'choice':
      return typeof value === 'string' && choicesOf(field).includes(value)
        ? { value }
        : wrong(field, 'must be one of its choices', `Choose one of: ${choicesOf(field).join(', ')}.`);
    case 'yes_no':
      return typeof value === 'boolean' ? { value } : wrong(field, 'must be yes or no', 'Give true or false.');
    case 'record':
      return z.uuid().safeParse(value).success
        ? { value }
        : wrong(field, 'must be a record', 'Choose one, or give its id.');
  }
}

function wrong(field: FormField, what: string, fix: string): { readonly problem: FormProblem } {
  return { problem: { field: field.id, code: 'invalid_input', message: `${field.title} ${what}.`, fix } };
}
