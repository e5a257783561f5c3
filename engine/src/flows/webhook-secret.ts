import { randomBytes } from 'node:crypto';
import { json, type Sealed, type Transaction, type Vault } from '@plumbline/db';
import { SECRET_MIN_LENGTH, schemeOf, standardSecretBytes, webhookConfigSchema } from '@plumbline/nodes';
import { ApiError, notFound } from '../problem.ts';

/** How long the secret that was replaced goes on working. */
const OVERLAP_MS = 24 * 3_600_000;

interface Trigger {
  readonly companyId: string;
  readonly flowId: string;
  readonly nodeId: string;
}

/** A new secret, in the form of Standard Webhooks; other schemes take it as the text it is. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** @throws ApiError `not_found` */
export async function readWebhook(tx: Transaction, vault: Vault, trigger: Trigger) {
  const row = await webhookRow(tx, trigger);
  const secret = (await vault.open(place(trigger.companyId, row.id, 'secret'), row.secret as Sealed)) as string;
  return { key: row.key, scheme: schemeOf(webhookConfigSchema.parse(row.config)), secret };
}

/**
 * Replaces the secret of a webhook address, by one the sender gave or by a new one. The one before it goes on working for a day; the one before that does not.
 * @throws ApiError `invalid_input` when the given one can be guessed or does not fit the scheme, `not_found`
 */
export async function replaceSecret(
  tx: Transaction,
  vault: Vault,
  change: Trigger & { readonly given?: string; readonly now: Date },
) {
  const { companyId, given, now } = change;
  const row = await webhookRow(tx, change, true);
  const scheme = schemeOf(webhookConfigSchema.parse(row.config));
  if (given !== undefined) requireFit(scheme.kind, given);
  const secret = given ?? newWebhookSecret();
  const before = await vault.open(place(companyId, row.id, 'secret'), row.secret as Sealed);
  const previousUntil = new Date(now.getTime() + OVERLAP_MS);
  await tx
    .updateTable('subscriptions')
    .set({
      secret: json(await vault.seal(place(companyId, row.id, 'secret'), secret)),
      previous_secret: json(await vault.seal(place(companyId, row.id, 'previous_secret'), before)),
      previous_secret_until: previousUntil,
      updated_at: now,
    })
    .where('company_id', '=', companyId)
    .where('id', '=', row.id)
    .execute();
  return { key: row.key, scheme, secret, previousUntil };
}

function requireFit(scheme: string, secret: string): void {
  if (secret.length < SECRET_MIN_LENGTH || !/^[\x21-\x7e]+$/.test(secret))
    throw new ApiError('invalid_input', `A secret has at least ${SECRET_MIN_LENGTH} characters, and no blanks.`, {
      path: 'secret',
      fix: 'Copy it from the sender’s settings, or leave it empty to get a new one.',
    });
  if (scheme !== 'standard') return;
  try {
    standardSecretBytes(secret);
  } catch (cause) {
    throw new ApiError('invalid_input', 'A Standard Webhooks secret is "whsec_" and base64 of 16 bytes or more.', {
      path: 'secret',
      fix: 'Copy the whole secret, or choose in the trigger how the sender proves itself.',
      cause,
    });
  }
}

async function webhookRow(tx: Transaction, { companyId, flowId, nodeId }: Trigger, lock = false) {
  let query = tx
    .selectFrom('subscriptions')
    .select(['id', 'key', 'secret', 'config'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .where('node_id', '=', nodeId)
    .where('kind', '=', 'webhook');
  if (lock) query = query.forUpdate();
  const row = await query.executeTakeFirst();
  if (!row?.secret) throw notFound('webhook trigger');
  return row;
}

function place(companyId: string, rowId: string, column: 'secret' | 'previous_secret') {
  return { companyId, table: 'subscriptions', rowId, column };
}
