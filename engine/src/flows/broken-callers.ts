import type { Transaction } from '@plumbline/db';
import {
  canonicalJson,
  compile,
  interfaceOf,
  type CatalogInfo,
  type Finding,
  type FlowDocument,
  type FlowInfo,
  type FlowInterface,
} from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import type { BrokenCaller } from '../contract/index.ts';
import { readFlowInfos } from './interfaces.ts';

/**
 * The published flows that could no longer call a flow as they do, once a drawing with the interface `next` is live, each with what the compiler would say of it then and does
 * not say now. Calls that ask for a version are never among them. Empty before a flow is published for the first time: nothing worked that could break.
 */
export async function brokenCallers(
  tx: Transaction,
  given: {
    readonly companyId: string;
    readonly flowId: string;
    readonly next: FlowInterface;
    readonly info: CatalogInfo;
  },
): Promise<BrokenCaller[]> {
  const { companyId, flowId, next, info } = given;
  const [now] = await readFlowInfos(tx, { companyId, info, only: [flowId] });
  if (!now || now.publishedVersion === null) return [];
  if (canonicalJson(next) === canonicalJson(interfaceOf(now, now.publishedVersion))) return [];
  const number = now.latestVersion + 1;
  const then: FlowInfo = {
    ...now,
    ...{ publishedVersion: number, latestVersion: number },
    interfaces: [...now.interfaces, { since: number, interface: next }],
  };
  const callers = await liveCallers(tx, companyId, flowId);
  return callers.flatMap(({ id, name, status, live }) => {
    // Other flows, and value maps, say the same of it before and after.
    const said = (flow: FlowInfo) => compile(live, { ...info, flows: [flow] }).findings;
    const before = new Set(said(now).map(keyOf));
    const findings = said(then).filter((finding) => !before.has(keyOf(finding)));
    return findings.length === 0 ? [] : [{ flowId: id, flowName: name, status, findings }];
  });
}

async function liveCallers(tx: Transaction, companyId: string, flowId: string) {
  const { rows } = await sql<{
    id: string;
    name: string;
    status: BrokenCaller['status'];
    live: FlowDocument;
  }>`
    select flows.id, flows.name, flows.status, live.document as live
      from flows
      join flow_versions live on live.company_id = flows.company_id and live.flow_id = flows.id and live.number = flows.published_version
     where flows.company_id = ${companyId} and flows.id <> ${flowId}
       and jsonb_path_exists(live.document, '$.nodes.*.inputs.flow.value ? (@ == $id)', jsonb_build_object('id', ${flowId}::text))
     order by flows.name`.execute(tx);
  return rows;
}

function keyOf({ code, nodeId, field, message }: Finding): string {
  return canonicalJson([code, nodeId ?? null, field ?? null, message]);
}
