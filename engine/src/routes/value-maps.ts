import { valueMapColumnSchema, valueMapLimits } from '@plumbline/workflows/flow';
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { ValueMapImported } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid, versionNumber } from '../validate.ts';
import { importCsv, valueMapCsv } from '../value-maps/csv.ts';
import { diffValueMap, listValueMaps, readValueMap, readValueMapVersions } from '../value-maps/read.ts';
import { createValueMap, refusal, removeValueMap, saveValueMap } from '../value-maps/save.ts';
import { readUses } from '../value-maps/usage.ts';

const map = z.object({ id: z.uuid() });
const version = z.object({ id: z.uuid(), number: versionNumber });
const cells = z.record(z.string().max(48), z.union([z.string(), z.number(), z.boolean()]).nullable());
const draft = z.strictObject({
  name: z.string().trim().min(1).max(120),
  description: z.string().trim().max(500).default(''),
  columns: z.array(valueMapColumnSchema).max(200),
  loose: z.boolean().default(true),
  otherwise: cells.nullable().default(null),
  // How many there may be is said by the table's own check, in its words.
  rows: z
    .array(cells)
    .max(10 * valueMapLimits.rows)
    .default([]),
});

/** Tables of the company that flows look up in. */
export function valueMapRoutes({ deps }: Services) {
  const { store, now } = deps;
  const who = (c: Context<ActorEnv>) => {
    const { companyId, name: actor } = c.get('actor');
    return { companyId, actor, now: now() };
  };

  return new Hono<ActorEnv>()
    .get('/', requireRight('value_map:read'), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => listValueMaps(tx, companyId)));
    })
    .post('/', requireRight('value_map:edit'), valid('json', draft), async (c) => {
      const made = await store.tenant(who(c).companyId, async (tx) => {
        const id = await createValueMap(tx, who(c), c.req.valid('json'));
        return await readValueMap(tx, who(c).companyId, id);
      });
      return c.json(made, 201);
    })
    .get(
      '/:id',
      requireRight('value_map:read'),
      valid('param', map),
      valid('query', z.strictObject({ version: versionNumber.optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id } = c.req.valid('param');
        return c.json(
          await store.tenant(companyId, (tx) => readValueMap(tx, companyId, id, c.req.valid('query').version)),
        );
      },
    )
    .put(
      '/:id',
      requireRight('value_map:edit'),
      valid('param', map),
      valid('json', draft.extend({ note: z.string().trim().max(500).optional() })),
      async (c) => {
        const { id } = c.req.valid('param');
        const { note, ...given } = c.req.valid('json');
        const saved = await store.tenant(who(c).companyId, async (tx) => {
          await saveValueMap(tx, who(c), { id, read: versionRead(c), given: { ...given, ...(note ? { note } : {}) } });
          return await readValueMap(tx, who(c).companyId, id);
        });
        return c.json(saved);
      },
    )
    .delete('/:id', requireRight('value_map:edit'), valid('param', map), async (c) => {
      await store.tenant(who(c).companyId, (tx) => removeValueMap(tx, who(c), c.req.valid('param').id));
      return c.body(null, 204);
    })
    .get('/:id/versions', requireRight('value_map:read'), valid('param', map), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(
        await store.tenant(companyId, (tx) => readValueMapVersions(tx, companyId, c.req.valid('param').id)),
      );
    })
    .get(
      '/:id/versions/:number/changes',
      requireRight('value_map:read'),
      valid('param', version),
      valid('query', z.strictObject({ from: z.coerce.number().int().nonnegative().max(2_147_483_647).optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id, number: to } = c.req.valid('param');
        const { from = to - 1 } = c.req.valid('query');
        return c.json(await store.tenant(companyId, (tx) => diffValueMap(tx, { companyId, id, from, to })));
      },
    )
    .post('/:id/versions/:number/restore', requireRight('value_map:edit'), valid('param', version), async (c) => {
      const { id, number: restored } = c.req.valid('param');
      const { companyId } = who(c);
      const saved = await store.tenant(companyId, async (tx) => {
        const { name, description } = await readValueMap(tx, companyId, id);
        const old = await readValueMap(tx, companyId, id, restored);
        await saveValueMap(tx, who(c), {
          ...{ id, read: versionRead(c), restored },
          given: { ...old, name, description, note: `Back to version ${restored}` },
        });
        return await readValueMap(tx, companyId, id);
      });
      return c.json(saved);
    })
    .get(
      '/:id/csv',
      requireRight('value_map:read'),
      valid('param', map),
      valid('query', z.strictObject({ version: versionNumber.optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id } = c.req.valid('param');
        const table = await store.tenant(companyId, (tx) =>
          readValueMap(tx, companyId, id, c.req.valid('query').version),
        );
        const file = `${table.name.replace(/[^A-Za-z0-9 _-]/g, '_')} v${table.version}.csv`;
        return c.body(valueMapCsv(table), 200, {
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': `attachment; filename="${file}"`,
          'Cache-Control': 'no-store',
        });
      },
    )
    .post(
      '/:id/import',
      requireRight('value_map:edit'),
      valid('param', map),
      valid(
        'json',
        z.strictObject({
          csv: z.string().max(5_000_000),
          delimiter: z.enum(['comma', 'semicolon', 'tab', 'pipe']).default('comma'),
          mode: z.enum(['replace', 'merge']),
          dryRun: z.boolean(),
        }),
      ),
      async (c) => {
        const { id } = c.req.valid('param');
        const { dryRun, ...given } = c.req.valid('json');
        const { companyId } = who(c);
        const imported = await store.tenant(companyId, async (tx): Promise<ValueMapImported> => {
          const before = await readValueMap(tx, companyId, id);
          const { table, ...outcome } = importCsv(before, given);
          if (dryRun) return { ...outcome, version: null };
          if (outcome.problems.length > 0) throw refusal(outcome.problems);
          const { name, description } = before;
          const saved = await saveValueMap(tx, who(c), {
            ...{ id, read: versionRead(c) },
            given: { ...table, name, description, note: 'Imported from a file' },
          });
          return { ...outcome, version: saved === before.version ? null : saved };
        });
        return c.json(imported);
      },
    )
    .get('/:id/usage', requireRight('value_map:read'), valid('param', map), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      return c.json(
        await store.tenant(companyId, async (tx) => {
          await readValueMap(tx, companyId, id);
          return await readUses(tx, companyId, id);
        }),
      );
    });
}

/** @throws ApiError `invalid_input` without it: whoever saves must say what they have seen */
function versionRead(c: Context): number {
  const read = Number(/^"?(\d+)"?$/.exec(c.req.header('if-match') ?? '')?.[1] ?? NaN);
  if (Number.isNaN(read))
    throw new ApiError('invalid_input', 'If-Match must hold the version that the value map was read at.', {
      path: 'If-Match',
    });
  return read;
}
