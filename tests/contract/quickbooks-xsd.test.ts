import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadCatalog, type Catalog, type Connector } from '@plumbline/nodes';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSandbox, runNode, type OpenedSandbox } from '../../nodes/sdk/testing.ts';

/** Intuit's own schema, when it lies beside the repository; it is not ours to copy in. */
const folder = fileURLToPath(new URL('../../../shared/specs/quickbooks-online/xsd/', import.meta.url));

interface ComplexType {
  readonly base: string | undefined;
  /** Element names with their types. */
  readonly elements: ReadonlyMap<string, string>;
  readonly attributes: readonly string[];
  readonly isText: boolean;
}

function readTypes(): {
  readonly types: ReadonlyMap<string, ComplexType>;
  readonly enums: ReadonlyMap<string, ReadonlySet<string>>;
} {
  const types = new Map<string, ComplexType>();
  const enums = new Map<string, ReadonlySet<string>>();
  for (const file of ['IntuitBaseTypes.xsd', 'IntuitNamesTypes.xsd', 'Finance.xsd']) {
    const text = readFileSync(folder + file, 'utf8').replace(
      /<xs:documentation>.*?<\/xs:documentation>|<!--.*?-->/gs,
      '',
    );
    for (const [, name = '', body = ''] of text.matchAll(
      /<xs:complexType\s+name="(\w+)"[^>]*>(.*?)<\/xs:complexType>/gs,
    )) {
      const elements = [...body.matchAll(/<xs:element\s+([^>]*?)\/?>/gs)].map(
        ([, attributes = '']) => [attribute(attributes, 'name'), attribute(attributes, 'type')] as const,
      );
      types.set(name, {
        base: /<xs:extension\s+base="(\w+)"/.exec(body)?.[1],
        elements: new Map(elements.filter(([element]) => element !== '')),
        attributes: [...body.matchAll(/<xs:attribute\s+name="(\w+)"/g)].map(([, one = '']) => one),
        isText: body.includes('<xs:simpleContent>'),
      });
    }
    for (const [, name = '', body = ''] of text.matchAll(/<xs:simpleType\s+name="(\w+)"[^>]*>(.*?)<\/xs:simpleType>/gs))
      enums.set(name, new Set([...body.matchAll(/<xs:enumeration\s+value="([^"]+)"/g)].map(([, value = '']) => value)));
  }
  return { types, enums };
}

function attribute(text: string, name: string): string {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1] ?? '';
}

/** Names and values in a JSON body that the schema does not have; JSON writes an element's text as `value`. */
function unknownNames(
  schema: ReturnType<typeof readTypes>,
  typeName: string,
  value: unknown,
  path = typeName,
): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => unknownNames(schema, typeName, item, `${path}[${index}]`));
  const allowed = schema.enums.get(typeName);
  if (allowed && allowed.size > 0) return allowed.has(String(value)) ? [] : [`${path}: ${String(value)}`];
  const type = schema.types.get(typeName);
  if (!type || typeof value !== 'object' || value === null) return [];
  const elements = new Map<string, string>();
  for (let current: ComplexType | undefined = type; current; current = schema.types.get(current.base ?? '')) {
    for (const [name, of] of current.elements) elements.set(name, of);
    for (const name of current.attributes) elements.set(name, 'xs:string');
    if (current.isText) elements.set('value', 'xs:string');
  }
  return Object.entries(value).flatMap(([name, item]) => {
    const of = elements.get(name);
    return of === undefined ? [`${path}.${name}`] : unknownNames(schema, of, item, `${path}.${name}`);
  });
}

describe.runIf(existsSync(folder))('what we send to QuickBooks, by Intuit’s own schema', () => {
  let schema: ReturnType<typeof readTypes>;
  let catalog: Catalog;
  let opened: OpenedSandbox;
  beforeAll(async () => {
    schema = readTypes();
    catalog = await loadCatalog();
    opened = await openSandbox(catalog.connectors.get('quickbooks') as Connector);
  });

  /** Bodies that a node posts, by entity. */
  async function sent(
    id: string,
    input: unknown,
  ): Promise<{ readonly entity: string; readonly body: Record<string, unknown>; readonly text: string }[]> {
    const bodies: { entity: string; body: Record<string, unknown>; text: string }[] = [];
    const fetch: typeof globalThis.fetch = async (address, init) => {
      const request = new Request(address, init);
      const text = await request.clone().text();
      if (request.method === 'POST')
        bodies.push({
          entity: new URL(request.url).pathname.split('/').at(-1) ?? '',
          body: JSON.parse(text) as Record<string, unknown>,
          text,
        });
      return await opened.fetch(request);
    };
    await runNode(opened, id, input, { http: opened.http({ fetch }), key: `key-${id}-${Math.random()}` });
    return bodies;
  }

  test('the schema was read', () => {
    expect(schema.types.get('Bill')?.elements.get('DueDate')).toBe('xs:date');
    expect(schema.types.get('Line')?.elements.get('DetailType')).toBe('LineDetailTypeEnum');
    expect(schema.enums.get('LineDetailTypeEnum')?.size).toBeGreaterThan(10);
    expect(
      unknownNames(schema, 'Bill', {
        VendorReff: {},
        Line: [{ DetailType: 'Nonsense', AccountBasedExpenseLineDetail: { AccountReff: {} } }],
      }),
    ).toEqual([
      'Bill.VendorReff',
      'Bill.Line[0].DetailType: Nonsense',
      'Bill.Line[0].AccountBasedExpenseLineDetail.AccountReff',
    ]);
  });

  test('a bill has only names that the schema has, and its amounts digit for digit', async () => {
    const [bill] = await sent('quickbooks.create-bill', {
      vendorId: '45',
      accountId: '28',
      docNumber: 'XSD-1',
      txnDate: '2026-03-02',
      dueDate: '2026-04-01',
      privateNote: 'Lot 14',
      lines: [
        { description: 'Rough-in', amount: '1234.10' },
        { amount: '0.07', accountId: '29' },
      ],
    });
    expect(bill?.entity).toBe('bill');
    expect(Object.keys(bill?.body ?? {}).sort()).toEqual([
      'DocNumber',
      'DueDate',
      'Line',
      'PrivateNote',
      'TxnDate',
      'VendorRef',
    ]);
    expect(unknownNames(schema, 'Bill', bill?.body)).toEqual([]);
    expect(bill?.text).toContain('"Amount":1234.10,');
    expect(bill?.text).toContain('"Amount":0.07,');
  });

  test.each([
    ['quickbooks.create-vendor', { name: 'Schema Glass', email: 'ap@schema.example' }],
    ['quickbooks.update-vendor', { vendorId: '45', name: 'Pisgah Electric Inc.', email: 'new@pisgah.example' }],
    ['quickbooks.ensure-vendor', { name: 'Ridgeline Tile' }],
    ['quickbooks.ensure-vendor', { name: 'Somebody New', email: 'x@new.example' }],
  ])('what %s sends has only names that the schema has', async (id, input) => {
    const bodies = await sent(id, input);
    expect(bodies.map(({ entity }) => entity)).toEqual(['vendor']);
    // `sparse` is an attribute of every entity.
    expect(unknownNames(schema, 'Vendor', bodies[0]?.body)).toEqual([]);
  });

  test('what the sandbox answers has only names that the schema has', async () => {
    const { books } = opened.sandbox.snapshot() as {
      books: Record<string, { entities: Record<string, Record<string, unknown>[]> }>;
    };
    for (const entity of ['Vendor', 'Bill', 'Account'])
      for (const row of books['4620816365213461000']?.entities[entity] ?? [])
        expect(unknownNames(schema, entity, row)).toEqual([]);
  });
});
