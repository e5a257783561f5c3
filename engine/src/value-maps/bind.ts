import type { Transaction } from '@plumbline/db';
import { valueMapOf, withValueMaps, type FlowDocument } from '@plumbline/workflows/flow';

/**
 * Gives each step that looks up in a value map one of the company: the one the flow has there already, else the one of that name. Where there is none, it
 * has to be chosen.
 */
export async function bindValueMaps(
  tx: Transaction,
  companyId: string,
  document: FlowDocument,
  former?: FlowDocument,
): Promise<{ readonly document: FlowDocument; readonly bound: Readonly<Record<string, string | null>> }> {
  const rows = await companyMaps(tx, companyId);
  const bound: Record<string, string | null> = {};
  const fitted = withValueMaps(document, ({ name }, nodeId) => {
    const before = former?.nodes[nodeId];
    const keptId = before && valueMapOf(before)?.id;
    const found =
      rows.find(({ id }) => id === keptId) ?? rows.find((row) => row.name.toLowerCase() === name.toLowerCase());
    bound[name] = found?.name ?? null;
    return found ?? { id: null, name };
  });
  return { document: fitted, bound };
}

/** The document with today's names of its value maps, for a file in which a name is all there is. */
export async function renameValueMaps(
  tx: Transaction,
  companyId: string,
  document: FlowDocument,
): Promise<FlowDocument> {
  const rows = await companyMaps(tx, companyId);
  return withValueMaps(document, (chosen) => rows.find(({ id }) => id === chosen.id) ?? chosen);
}

function companyMaps(tx: Transaction, companyId: string) {
  return tx
    .selectFrom('value_maps')
    .select(['id', 'name'])
    .where('company_id', '=', companyId)
    .where('removed_at', 'is', null)
    .execute();
}
