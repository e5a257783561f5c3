import type { Transaction } from '@plumbline/db';
import { calledFlowOf, withCalledFlows, type FlowDocument } from '@plumbline/workflows/flow';

/**
 * Gives each call of a file a flow of the company: the one that the step calls already where that has this name, else the one of this name. Where there is
 * none, or several are called so, it has to be chosen.
 * @param self A flow that calls itself calls the one it becomes.
 */
export async function bindCalledFlows(
  tx: Transaction,
  companyId: string,
  document: FlowDocument,
  given: { readonly former: FlowDocument | undefined; readonly self: { readonly id: string; readonly name: string } },
): Promise<{ readonly document: FlowDocument; readonly bound: Readonly<Record<string, string | null>> }> {
  const rows = await companyFlows(tx, companyId);
  const { former, self } = given;
  const bound: Record<string, string | null> = {};
  const fitted = withCalledFlows(document, (called, nodeId) => {
    if (!('name' in called)) return undefined;
    const { name } = called;
    const before = former?.nodes[nodeId];
    const kept = before && calledFlowOf(before);
    const fitting = rows.filter((row) => row.name.toLowerCase() === name.toLowerCase());
    const found =
      name === self.name
        ? self
        : (fitting.find((row) => kept && 'id' in kept && row.id === kept.id) ??
          (fitting.length === 1 ? fitting[0] : undefined));
    bound[name] = found?.name ?? null;
    return found && { id: found.id };
  });
  return { document: fitted, bound };
}

/** The document with the names of the flows that it calls, for a file in which a name is all there is. */
export async function nameCalledFlows(
  tx: Transaction,
  companyId: string,
  document: FlowDocument,
): Promise<FlowDocument> {
  const rows = await companyFlows(tx, companyId);
  return withCalledFlows(document, (called) => {
    const found = rows.find(({ id }) => 'id' in called && id === called.id);
    return found && { name: found.name };
  });
}

function companyFlows(tx: Transaction, companyId: string) {
  return tx.selectFrom('flows').select(['id', 'name']).where('company_id', '=', companyId).execute();
}
