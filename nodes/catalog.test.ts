import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadCatalog } from './catalog.ts';
import { describeConnector } from './sdk/conformance.ts';

const catalog = await loadCatalog();

describe('the catalog', () => {
  test('finds the folders by itself', () => {
    expect([...catalog.connectors.keys()]).toEqual(expect.arrayContaining(['quickbooks', 'slack']));
  });

  test('holds the nodes that flows are drawn with', () => {
    expect([...catalog.nodeTypes.keys()]).toEqual(
      expect.arrayContaining([
        ...[
          'webhook',
          'record-event',
          'schedule',
          'manual',
          'map',
          'if',
          'switch',
          'http-request',
          'notify',
          'stop',
          'wait',
          'set',
          'filter-list',
          'sort-list',
          'group-list',
          'limit-list',
          'unique-list',
          'split-list',
          'merge-lists',
          'lookup',
          'validate',
          'compare',
          'render',
          'parse-json',
          'parse-csv',
          'parse-xml',
          'format-csv',
          'date',
          'respond',
          'poll',
          'api-call',
          'flow-error',
          'connection-state',
        ].map((name) => `core.${name}@1`),
        ...[
          'company-info',
          'list-accounts',
          'find-vendor',
          'create-vendor',
          'update-vendor',
          'ensure-vendor',
          'create-bill',
          'vendor-changed',
          'bill-changed',
        ].map((name) => `quickbooks.${name}@1`),
        ...['send-message', 'list-channels'].map((name) => `slack.${name}@1`),
      ]),
    );
  });

  test.each([...catalog.nodeTypes])('%s converts to JSON Schema and says what it needs', (key, type) => {
    expect(key).toBe(`${type.id}@${type.version}`);
    expect(z.toJSONSchema(type.input, { io: 'input' })).toMatchObject({ type: 'object' });
    expect(z.toJSONSchema(type.output)).toBeTypeOf('object');
    expect(
      type.kind === 'trigger' ? type.subscription : (type.run ?? type.wait ?? type.hold ?? type.control),
    ).toBeDefined();
    expect(type.connector).toBe(type.id.startsWith('core.') ? undefined : type.id.split('.')[0]);
  });
});

for (const connector of catalog.connectors.values()) describeConnector(connector);
