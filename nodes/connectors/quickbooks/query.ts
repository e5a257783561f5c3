import { z } from 'zod';
import type { ConnectionContext, VendorHttp } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION } from './api.ts';

/** Most rows that QuickBooks gives in one answer. */
const PAGE_ROWS = 1_000;

/**
 * Runs a query and returns its rows, over as many pages as there are.
 * Inactive rows are left out by QuickBooks unless the condition names `Active`.
 * @param options.max stop after so many rows. `@default` 20_000
 * @see https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
 */
export async function query<T extends z.ZodType>(
  http: VendorHttp,
  connection: ConnectionContext | undefined,
  options: { readonly entity: string; readonly where?: string; readonly row: T; readonly max?: number },
): Promise<z.infer<T>[]> {
  const { entity, where, row, max = 20_000 } = options;
  const answer = z.object({ QueryResponse: z.object({ [entity]: z.array(row).optional() }) });
  const rows: z.infer<T>[] = [];
  for (;;) {
    const size = Math.min(PAGE_ROWS, max - rows.length);
    const condition = where ? ` where ${where}` : '';
    const text = `select * from ${entity}${condition} startposition ${rows.length + 1} maxresults ${size}`;
    const { QueryResponse } = await http.send({
      method: 'GET',
      path: companyPath(connection, 'query'),
      query: { query: text, minorversion: MINOR_VERSION },
      answer,
    });
    const page = QueryResponse[entity] ?? [];
    rows.push(...page);
    if (page.length < size || rows.length >= max) return rows;
  }
}

/** A text inside a query: a quote is escaped with a backslash. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
