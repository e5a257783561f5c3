import type { Transaction } from '@plumbline/db';
import { checkForm, type FormField } from '@plumbline/nodes';
import { canonicalJson } from '@plumbline/workflows/flow';
import { ApiError, notFound } from '../problem.ts';

/**
 * Checks what was filled in against the fields that a trigger declares, and puts records in the place of their ids. A trigger that declares none takes what it
 * is given, where `free` says so.
 * @throws ApiError `invalid_input`, `unknown_field`; with the field as its path
 */
export async function fillIn(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly values: Readonly<Record<string, unknown>>;
    /** What the values are called in the request: `values`, `input`. */
    readonly path: string;
    readonly free: boolean;
    /**
     * What it was filled in with before: then a record may be given as it was put in the place of its id, and stays as it is given. One that is the same as
     * before need not be there any more.
     */
    readonly had?: Readonly<Record<string, unknown>>;
  },
): Promise<Readonly<Record<string, unknown>>> {
  const { companyId, config, values, path } = work;
  const fields = (config['fields'] ?? []) as readonly FormField[];
  if (fields.length === 0 && work.free) return values;
  const checked = checkForm(fields, work.had ? withIds(fields, values) : values);
  if ('problem' in checked) {
    const { code, message, fix, field } = checked.problem;
    throw new ApiError(code, message, { path: `${path}.${field}`, fix });
  }
  const filled: Record<string, unknown> = { ...checked.values };
  for (const field of fields) {
    if (field.type !== 'record' || filled[field.id] === undefined) continue;
    const given = work.had && Object.hasOwn(values, field.id) ? values[field.id] : undefined;
    if (isRecord(given) && canonicalJson(given) === canonicalJson(work.had?.[field.id] ?? null)) {
      filled[field.id] = given;
      continue;
    }
    const row = await tx
      .selectFrom('records')
      .select(['id', 'data'])
      .where('company_id', '=', companyId)
      .where('id', '=', String(filled[field.id]))
      .where('entity', '=', field.entity ?? '')
      .executeTakeFirst();
    if (!row)
      throw new ApiError('invalid_input', `${field.title} names a record that is not there.`, {
        path: `${path}.${field.id}`,
        fix: 'Choose another one.',
      });
    filled[field.id] = isRecord(given) ? given : { id: row.id, ...row.data };
  }
  return filled;
}

function withIds(
  fields: readonly FormField[],
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const records = new Set(fields.filter(({ type }) => type === 'record').map(({ id }) => id));
  return Object.fromEntries(
    Object.entries(values).map(([id, value]) => [id, records.has(id) && isRecord(value) ? value.id : value]),
  );
}

function isRecord(value: unknown): value is { readonly id: unknown } {
  return typeof value === 'object' && value !== null && 'id' in value;
}

/** The published trigger of a kind, of a flow that is on. @throws ApiError `not_found`, `invalid_transition` */
export async function openTrigger(
  tx: Transaction,
  wanted: {
    readonly companyId: string;
    readonly flowId: string;
    readonly kind: 'manual' | 'call';
    /** "be started by hand", and what it needs for it. */
    readonly words: { readonly cannot: string; readonly needs: string };
  },
) {
  const { companyId, flowId, kind, words } = wanted;
  const flow = await tx
    .selectFrom('flows')
    .select(['name', 'status'])
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .executeTakeFirst();
  if (!flow) throw notFound('flow');
  const subscription = await tx
    .selectFrom('subscriptions')
    .select(['key', 'config'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .where('kind', '=', kind)
    .where('active', '=', true)
    .executeTakeFirst();
  if (!subscription || flow.status !== 'on')
    throw new ApiError('invalid_transition', `"${flow.name}" cannot ${words.cannot}.`, {
      fix: `It needs the trigger "${words.needs}", published and switched on.`,
    });
  return subscription;
}
