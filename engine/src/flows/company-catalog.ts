import type { Transaction } from '@plumbline/db';
import { flowsCalledBy, type CatalogInfo, type FlowDocument } from '@plumbline/workflows/flow';
import { readValueMapInfos } from '../value-maps/read.ts';
import { readFlowInfos } from './interfaces.ts';

/** The catalog with what the company has and a drawing depends on, so that the compiler misses what is not there: its value maps, and the flows it calls. */
export async function companyCatalog(
  tx: Transaction,
  given: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: FlowDocument;
    readonly info: CatalogInfo;
  },
): Promise<CatalogInfo> {
  const { companyId, flowId, document, info } = given;
  const called = flowsCalledBy(document);
  return {
    ...info,
    flowId,
    valueMaps: await readValueMapInfos(tx, companyId),
    flows: called.length === 0 ? [] : await readFlowInfos(tx, { companyId, info, only: called }),
  };
}
