import type { Transaction } from '@plumbline/db';
import type { FormField } from '@plumbline/nodes';
import {
  checkValue,
  findNodeType,
  literalsOf,
  outputSchema,
  type CatalogInfo,
  type Finding,
  type FlowNode,
  type JsonSchema,
  type PlanStep,
} from '@plumbline/workflows/flow';
import { fillIn } from '../flows/fill-in.ts';
import { ApiError } from '../problem.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields as triggers declare them. What another flow hands over is anything, where nothing else is said. */
type Declared = Omit<FormField, 'type'> & { readonly type?: FormField['type'] | 'any' };

/**
 * Checks what a run is to be run again with, in place of what started it, against the trigger of the version it is to run in: the values of a form or of a call
 * as if they were given now, anything else by what the trigger hands on. A trigger that does not hand on what its schema says is not held to it.
 * @returns the input as the run is to see it
 * @throws ApiError `invalid_input`, `unknown_field`; with the place in the input as its path
 */
export async function checkRerunInput(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly info: CatalogInfo;
    /** The trigger. */
    readonly nodeId: string;
    readonly step: PlanStep | undefined;
    readonly input: Fields;
    /** What started the run. */
    readonly former: unknown;
  },
): Promise<Fields> {
  const { companyId, info, nodeId, step, input, former } = work;
  const type = step && findNodeType(info, step.type, step.version);
  if (!type) return input;
  const config = literalsOf(step.inputs);
  const fields = type.outputFields && ((config[type.outputFields.list] ?? []) as readonly Declared[]);
  if (!type.outputFields || !fields || (fields.length === 0 && type.trigger !== 'call')) {
    requireShape(nodeId, outputSchema({ ...step, inputs: asDrawn(config) }, type), { input, former });
    return input;
  }
  const { into } = type.outputFields;
  const before = isGroup(former) ? former : {};
  const odd = Object.keys(input).find(
    (name) => !Object.hasOwn(type.output.properties ?? {}, name) && !Object.hasOwn(before, name),
  );
  if (odd !== undefined)
    throw new ApiError('unknown_field', `There is no field "${odd.slice(0, 100)}".`, {
      path: `input.${odd.slice(0, 100)}`,
      fix: `The fields go under "${into}".`,
    });
  const values = input[into] ?? {};
  const path = `input.${into}`;
  if (!isGroup(values))
    throw new ApiError('invalid_input', `"${into}" must be a group of fields, { … }.`, {
      path,
      fix: 'Give each field by its short name.',
    });
  const had = isGroup(before[into]) ? before[into] : {};
  const loose = type.trigger === 'flow' ? fields.filter((field) => (field.type ?? 'any') === 'any') : [];
  const missing = loose.find(({ id, required }) => required && (values[id] ?? null) === null);
  if (missing)
    throw new ApiError('invalid_input', `${missing.title} is missing.`, {
      path: `${path}.${missing.id}`,
      fix: 'Fill it in.',
    });
  const isLoose = (id: string): boolean => loose.some((field) => field.id === id);
  const filled = await fillIn(tx, {
    companyId,
    config: { fields: fields.filter(({ id }) => !isLoose(id)) },
    values: Object.fromEntries(Object.entries(values).filter(([id]) => !isLoose(id))),
    ...{ path, had, free: false },
  });
  const asGiven = Object.fromEntries(Object.entries(values).filter(([id]) => isLoose(id)));
  return { ...input, [into]: { ...asGiven, ...filled } };
}

/** @throws ApiError `invalid_input` for an input that is not what the trigger hands on, where what started the run was. */
function requireShape(
  nodeId: string,
  schema: JsonSchema,
  { input, former }: { readonly input: Fields; readonly former: unknown },
): void {
  if (checkValue(former, schema).length > 0) return;
  const findings = checkValue(input, schema)
    // To an expression, a group that may be empty and one that is left out are the same.
    .filter(({ code, field = '' }) => code !== 'required_missing' || !mayBeEmpty(schema.properties?.[field]))
    .map(({ field, code, message }): Finding => ({
      ...{ code, severity: 'error', nodeId, message },
      ...(field ? { field } : {}),
      fix: 'Correct it there.',
    }));
  const [first] = findings;
  if (first)
    throw new ApiError(
      'invalid_input',
      `No run starts with this. ${first.message}${findings.length > 1 ? ` And ${findings.length - 1} more.` : ''}`,
      { path: `input${first.field ? `.${first.field}` : ''}`, fix: 'Correct it and run it again.', findings },
    );
}

function mayBeEmpty(schema: JsonSchema | undefined): boolean {
  return schema?.properties === undefined && typeof schema?.additionalProperties === 'object';
}

function asDrawn(config: Fields): FlowNode['inputs'] {
  return Object.fromEntries(
    Object.entries(config).map(([field, value]) => [field, { kind: 'literal', value: value as never }]),
  );
}

function isGroup(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
