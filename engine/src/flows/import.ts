import { randomUUID } from 'node:crypto';
import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { emptyFlow, readFlowFile, type FlowDocument } from '@plumbline/workflows/flow';
import type { FlowImport, FlowImported } from '../contract/index.ts';
import { requireStorable } from '../fit-to-store.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { bindValueMaps } from '../value-maps/bind.ts';
import { bindCalledFlows } from './called-flows.ts';
import { readFlow } from './read.ts';
import { saveDraft } from './save-draft.ts';

/**
 * Takes a flow in from a file, as a draft: a new flow, or the draft of one that is there. Nothing runs and nothing is published by it. Connections,
 * value maps and flows that it calls are found by name among the company's own. What is not drawn to its end comes in as it is, as a draft may be saved so.
 * @throws ApiError `flow_invalid` with every problem of the file; `not_found` for a flow to import into that is none;
 * `unsupported_character` where a text of it cannot be stored.
 */
export async function importFlow(
  tx: Transaction,
  { deps, info }: Pick<Services, 'deps' | 'info'>,
  who: { readonly companyId: string; readonly actor: string },
  given: FlowImport,
): Promise<FlowImported> {
  const { companyId, actor } = who;
  const { file, findings } = readFlowFile(given.text, info, 'draft');
  if (!file) {
    const errors = findings.filter(({ severity }) => severity === 'error');
    throw new ApiError(
      'flow_invalid',
      `This file cannot be imported: ${errors[0]?.message ?? 'it is not complete.'}${errors.length > 1 ? ` And ${errors.length - 1} more.` : ''}`,
      { fix: 'Correct all of them; nothing was imported.', findings },
    );
  }
  requireStorable(file);
  const into = given.into ? await readFlow(tx, companyId, given.into, info, deps.now()) : undefined;
  const { document: connected, bound } = await bind(tx, companyId, file.document, into?.draft);
  const { document: fitted, bound: valueMaps } = await bindValueMaps(tx, companyId, connected, into?.draft);
  const id = into?.id ?? randomUUID();
  const { document, bound: calledFlows } = await bindCalledFlows(tx, companyId, fitted, {
    former: into?.draft,
    self: { id, name: file.name },
  });
  const name = given.name ?? into?.name ?? file.name;
  const imported = { name, findings, connections: bound, valueMaps, calledFlows };
  if (given.dryRun) return { ...imported, flowId: into?.id ?? null };

  const { draft_revision: revision } = into
    ? { draft_revision: into.revision }
    : await tx
        .insertInto('flows')
        .values({
          ...{
            id,
            company_id: companyId,
            name,
            description: file.description,
            status: 'draft',
            draft: json(emptyFlow()),
          },
          ...{ published_version: null, template_slug: null, template_version: null, created_by: actor },
        })
        .returning('draft_revision')
        .executeTakeFirstOrThrow();
  const description = file.described ? { description: file.description } : {};
  await saveDraft(tx, {
    companyId,
    flowId: id,
    revision,
    document,
    name,
    ...description,
    author: actor,
    now: deps.now(),
  });
  await appendAudit(tx, {
    actor,
    action: 'flow.imported',
    targetType: 'flow',
    targetId: id,
    details: { name, into: into !== undefined },
  });
  return { ...imported, flowId: id };
}

/** Gives each slot a connection of the company: the one the flow has there already, else the one of that name, else the only one of that app. */
async function bind(
  tx: Transaction,
  companyId: string,
  document: FlowDocument,
  former: FlowDocument | undefined,
): Promise<{ readonly document: FlowDocument; readonly bound: FlowImported['connections'] }> {
  const rows = await tx
    .selectFrom('integrations')
    .select(['id', 'type', 'name'])
    .where('company_id', '=', companyId)
    .where('status', '<>', 'disconnected')
    .execute();
  const bound: Record<string, string | null> = {};
  const connections = Object.entries(document.connections).map(([slot, given]) => {
    const fitting = rows.filter(({ type }) => type === given.connector);
    const kept = fitting.find(({ id }) => id === former?.connections[slot]?.id);
    const found =
      kept ?? fitting.find(({ name }) => name === given.title) ?? (fitting.length === 1 ? fitting[0] : undefined);
    bound[slot] = found?.name ?? null;
    return [slot, { ...given, id: found?.id ?? null }] as const;
  });
  return { document: { ...document, connections: Object.fromEntries(connections) }, bound };
}
