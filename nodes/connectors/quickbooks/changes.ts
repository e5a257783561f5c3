import { z } from 'zod';
import { ConnectorFailure, type PollContext, type PollResult } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION } from './api.ts';
import { query, quoted } from './query.ts';

/** Change data capture looks back thirty days, and gives a thousand rows. */
const LOOK_BACK_MS = 29.5 * 86_400_000;
const CDC_MAX_ROWS = 1_000;
/** What is written while a poll is under way may carry a time before it: the last minutes are read again, and repeats dropped. */
const OVERLAP_MS = 5 * 60_000;

/** Intuit's page on change data capture. */
export const changesSource =
  'https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture';

const stampSchema = z.object({
  Id: z.string(),
  SyncToken: z.string().optional(),
  status: z.string().optional(),
  MetaData: z.object({ CreateTime: z.string().optional(), LastUpdatedTime: z.string() }),
});

export type Change = 'created' | 'updated' | 'deleted';

/**
 * Reads what changed of one entity since the cursor, oldest first. Of more than a thousand changes at once the rows come from the query language instead,
 * which knows no deleted ones beyond that.
 */
export function pollChanges<T extends z.ZodType>(options: {
  readonly entity: string;
  readonly row: T;
  /** Condition that makes a query give inactive rows, too. */
  readonly all?: string;
  readonly data: (change: Change, row: z.infer<T> | undefined, id: string) => Readonly<Record<string, unknown>>;
}) {
  const { entity, row: rowSchema, all, data } = options;
  const answer = z.object({
    time: z.string(),
    CDCResponse: z.array(
      z.object({ QueryResponse: z.array(z.object({ [entity]: z.array(z.unknown()).optional() })).optional() }),
    ),
  });
  return async function poll({ http, connection, cursor, now }: PollContext): Promise<PollResult> {
    const known = typeof cursor?.['since'] === 'string' ? Date.parse(cursor['since']) : undefined;
    const oldest = now().getTime() - LOOK_BACK_MS;
    const since = new Date(Math.max((known ?? now().getTime()) - OVERLAP_MS, oldest)).toISOString();
    const { CDCResponse, time } = await http.send({
      method: 'GET',
      path: companyPath(connection, 'cdc'),
      query: { entities: entity, changedSince: since, minorversion: MINOR_VERSION },
      answer,
    });
    const rows = CDCResponse.flatMap(({ QueryResponse = [] }) => QueryResponse.flatMap((part) => part[entity] ?? []));
    const deleted = rows.filter((row) => stampOf(row).status === 'Deleted');
    const changed =
      rows.length < CDC_MAX_ROWS
        ? rows.filter((row) => !deleted.includes(row))
        : await query(http, connection, {
            entity,
            where: `MetaData.LastUpdatedTime >= ${quoted(since)}${all ? ` and ${all}` : ''} orderby MetaData.LastUpdatedTime`,
            row: z.unknown(),
          });
    const events = [...changed, ...deleted]
      .map((row) => ({ row, stamp: stampOf(row) }))
      .sort((a, b) => Date.parse(a.stamp.MetaData.LastUpdatedTime) - Date.parse(b.stamp.MetaData.LastUpdatedTime))
      .map(({ row, stamp }) => {
        const change = changeOf(stamp);
        return {
          dedupeKey: `${stamp.Id}:${change === 'deleted' ? 'deleted' : (stamp.SyncToken ?? stamp.MetaData.LastUpdatedTime)}`,
          data: data(change, change === 'deleted' ? undefined : rowSchema.parse(row), stamp.Id),
        };
      });
    // Their clock, not ours, says how far this was.
    return { events, cursor: { since: new Date(time).toISOString() } };
  };
}

function stampOf(row: unknown): z.infer<typeof stampSchema> {
  const parsed = stampSchema.safeParse(row);
  if (parsed.success) return parsed.data;
  throw new ConnectorFailure({
    kind: 'contract',
    code: 'unexpected_shape',
    message: 'QuickBooks Online told of a change without saying of what and when. Tell support.',
    cause: parsed.error,
  });
}

/** A first version has token 0; one that was created and changed between two polls is told as created, in its newest state. */
function changeOf({ status, SyncToken, MetaData }: z.infer<typeof stampSchema>): Change {
  if (status === 'Deleted') return 'deleted';
  return SyncToken === '0' || MetaData.CreateTime === MetaData.LastUpdatedTime ? 'created' : 'updated';
}
