import type { Transaction } from '@plumbline/db';
import { checkForm, type FormField } from '@plumbline/nodes';
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
  },
): Promise<Readonly<Record<string, unknown>>> {
  const { companyId, config, values, path } = work;
  const fields = (config['fields'] ?? []) as readonly FormField[];
  if (fields.length === 0 && work.free) return values;
  const checked = checkForm(fields, values);
  if ('problem' in checked) {
    const { code, message, fix, field } = checked.problem;
    throw new ApiError(code, message, { path: `${path}.${field}`, fix });
  }
  const filled: Record<string, unknown> = { ...checked.values };
  for (const field of fields) {
    if (field.type !== 'record' || filled[field.id] === undefined) continue;
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
    filled[field.id] = { id: row.id, ...row.data };
  }
  return filled;
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
