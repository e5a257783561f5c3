import type { Transaction } from '@plumbline/db';
import type { FlowDocument } from '@plumbline/workflows/flow';
import type { ConnectionSummary } from '../contract/index.ts';
import { notFound } from '../problem.ts';

/** The company's connections, oldest first, each with the flows whose draft or live version uses it. */
export async function listConnections(tx: Transaction, companyId: string): Promise<ConnectionSummary[]> {
  const rows = await tx
    .selectFrom('integrations')
    .select([
      'id',
      'type',
      'name',
      'environment',
      'status',
      'account',
      'scopes',
      'error_message',
      'last_sync_at',
      'token_expires_at',
      'created_at',
    ])
    .where('company_id', '=', companyId)
    .where('status', '<>', 'disconnected')
    .orderBy('created_at')
    .execute();
  const uses = await usesOf(tx, companyId);
  return rows.map((row) => ({
    id: row.id,
    connector: row.type,
    name: row.name,
    environment: row.environment,
    status: row.status,
    account: row.account,
    scopes: row.scopes,
    errorMessage: row.error_message,
    lastSyncAt: row.last_sync_at?.toISOString() ?? null,
    tokenExpiresAt: row.token_expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    flows: uses.get(row.id) ?? [],
  }));
}

/** @throws ApiError `not_found` */
export async function readConnection(tx: Transaction, companyId: string, id: string): Promise<ConnectionSummary> {
  const found = (await listConnections(tx, companyId)).find((connection) => connection.id === id);
  if (!found) throw notFound('connection');
  return found;
}

async function usesOf(tx: Transaction, companyId: string): Promise<Map<string, { id: string; name: string }[]>> {
  const flows = await tx
    .selectFrom('flows')
    .leftJoin('flow_versions as live', (join) =>
      join
        .onRef('live.company_id', '=', 'flows.company_id')
        .onRef('live.flow_id', '=', 'flows.id')
        .onRef('live.number', '=', 'flows.published_version'),
    )
    .select(['flows.id', 'flows.name', 'flows.draft', 'live.document'])
    .where('flows.company_id', '=', companyId)
    .execute();
  const uses = new Map<string, { id: string; name: string }[]>();
  for (const flow of flows) {
    const ids = [flow.draft, flow.document].flatMap((document) =>
      document
        ? Object.values((document as FlowDocument).connections).flatMap((slot) => (slot.id ? [slot.id] : []))
        : [],
    );
    for (const id of new Set(ids)) uses.set(id, [...(uses.get(id) ?? []), { id: flow.id, name: flow.name }]);
  }
  return uses;
}
