import type { Transaction } from '@plumbline/db';
import { valueMapOf, type FlowDocument } from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import type { ValueMapUse } from '../contract/index.ts';

/** How many flows use each value map, by its id. */
export async function countUses(tx: Transaction, companyId: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ map: string; flows: number }>`
    select map #>> '{}' as map, count(distinct flow)::int as flows from (
      select flows.id as flow, jsonb_path_query(drawn.document, '$.nodes.*.inputs.map.value.id') as map
        from flows
        left join flow_versions live on live.company_id = flows.company_id and live.flow_id = flows.id and live.number = flows.published_version
        cross join lateral (values (flows.draft), (live.document)) as drawn (document)
       where flows.company_id = ${companyId}) used
     group by map #>> '{}'`.execute(tx);
  return new Map(rows.map(({ map, flows }) => [map, flows]));
}

/** Flows whose drawing, or whose live version, looks up in a value map. */
export async function readUses(tx: Transaction, companyId: string, id: string): Promise<ValueMapUse[]> {
  const { rows } = await sql<{
    id: string;
    name: string;
    status: ValueMapUse['status'];
    draft: FlowDocument;
    live: FlowDocument | null;
  }>`
    select flows.id, flows.name, flows.status, flows.draft, live.document as live
      from flows
      left join flow_versions live on live.company_id = flows.company_id and live.flow_id = flows.id and live.number = flows.published_version
     where flows.company_id = ${companyId}
       and (jsonb_path_exists(flows.draft, '$.nodes.*.inputs.map.value.id ? (@ == $id)', jsonb_build_object('id', ${id}::text))
         or jsonb_path_exists(live.document, '$.nodes.*.inputs.map.value.id ? (@ == $id)', jsonb_build_object('id', ${id}::text)))
     order by flows.name`.execute(tx);
  return rows.flatMap(({ id: flowId, name, status, draft, live }) => {
    const drawn = stepsIn(draft, id);
    const running = live ? stepsIn(live, id) : [];
    if (drawn.length + running.length === 0) return [];
    const steps = [...new Set([...running, ...drawn])];
    return [{ flowId, flowName: name, status, live: running.length > 0, draft: drawn.length > 0, steps }];
  });
}

function stepsIn({ nodes }: FlowDocument, id: string): readonly string[] {
  return Object.values(nodes)
    .filter((node) => valueMapOf(node)?.id === id)
    .map(({ name }) => name);
}
