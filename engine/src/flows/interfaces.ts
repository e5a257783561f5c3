import type { Transaction } from '@plumbline/db';
import {
  CALLED_TRIGGER,
  canonicalJson,
  flowInterface,
  type CatalogInfo,
  type FlowDocument,
  type FlowInfo,
  type FlowInterface,
} from '@plumbline/workflows/flow';
import { sql } from 'kysely';

const notCallable: FlowInterface = { kind: 'not_callable' };

/** The flows of the company as those that call them depend on them, by name: all, or only some. */
export async function readFlowInfos(
  tx: Transaction,
  wanted: { readonly companyId: string; readonly info: CatalogInfo; readonly only?: readonly string[] },
): Promise<FlowInfo[]> {
  const { companyId, info, only } = wanted;
  const { rows: flows } = await sql<{
    id: string;
    name: string;
    published_version: number | null;
    latest: number;
    draft: FlowDocument | null;
  }>`
    select flows.id, flows.name, flows.published_version, coalesce(version.latest, 0) as latest,
           case when version.latest is null and ${beginsByCall(sql`flows.draft`)} then flows.draft end as draft
      from flows
      left join lateral (select max(number) as latest from flow_versions
                          where company_id = flows.company_id and flow_id = flows.id) version on true
     where flows.company_id = ${companyId} ${only ? sql`and flows.id::text = any(${only})` : sql``}
     order by flows.name, flows.id`.execute(tx);
  const interfaces = await readInterfaces(tx, wanted);
  return flows.map(({ id, name, published_version, latest, draft }) => ({
    ...{ id, name, publishedVersion: published_version, latestVersion: latest, interfaces: interfaces.get(id) ?? [] },
    ...(latest === 0 ? { draft: draft ? flowInterface(draft, info) : notCallable } : {}),
  }));
}

/** Only versions whose interface is another than that of the one before are read, and the drawings of those that have none kept, if they take calls. */
async function readInterfaces(
  tx: Transaction,
  { companyId, info, only }: Parameters<typeof readFlowInfos>[1],
): Promise<ReadonlyMap<string, FlowInfo['interfaces']>> {
  const { rows } = await sql<{
    flow_id: string;
    number: number;
    interface: FlowInterface | null;
    document: FlowDocument | null;
  }>`
    select flow_id, number, interface, case when interface is null and ${beginsByCall(sql`document`)} then document end as document
      from (select flow_id, number, interface, document, lag(interface) over (partition by flow_id order by number) as former
              from flow_versions
             where company_id = ${companyId} ${only ? sql`and flow_id::text = any(${only})` : sql``}) version
     where interface is null or interface is distinct from former
     order by flow_id, number`.execute(tx);
  const found = new Map<string, FlowInfo['interfaces'][number][]>();
  for (const row of rows) {
    const known = row.interface ?? (row.document ? flowInterface(row.document, info) : notCallable);
    const all = found.get(row.flow_id) ?? [];
    const last = all.at(-1);
    if (!last || canonicalJson(last.interface) !== canonicalJson(known))
      all.push({ since: row.number, interface: known });
    found.set(row.flow_id, all);
  }
  return found;
}

function beginsByCall(document: ReturnType<typeof sql>) {
  return sql<boolean>`jsonb_path_exists(${document}, '$.nodes.*.type ? (@ == $type)', jsonb_build_object('type', ${CALLED_TRIGGER}::text))`;
}
