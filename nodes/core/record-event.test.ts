import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { node } from './record-event.ts';
import { recordSchemas, type RecordEntity } from './record-schemas.ts';

const ids = Object.keys(recordSchemas) as RecordEntity[];

describe('a record event', () => {
  test.each(ids)('of %s hands on that record, and is keyed by it', (entity) => {
    const output = node.outputFor?.({ entity });
    const { $schema: _, ...record } = z.toJSONSchema(recordSchemas[entity]);
    expect(output && z.toJSONSchema(output)).toMatchObject({
      properties: { record, event: { type: 'object' } },
      required: ['event', 'record'],
    });
    const { subscription } = node;
    expect(subscription?.kind === 'record' && subscription.key({ entity, change: 'approved' })).toBe(
      `${entity}.approved`,
    );
    expect(node.input.safeParse({ entity, change: 'created' }).success).toBe(true);
  });

  test.each([undefined, 'nobody', 'constructor', '__proto__', 7])('of %j has no record of its own', (entity) => {
    expect(node.outputFor?.({ entity })).toBeUndefined();
    expect(node.input.safeParse({ entity, change: 'created' }).success).toBe(false);
  });
});
