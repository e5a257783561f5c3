import type { CatalogInfo, FlowDocument, NodeTypeInfo } from '@plumbline/workflows/flow';

/** A small catalog and flow for tests of the editor. @internal */
const out = [{ id: 'out', title: 'Then' }];
const type = (id: string, more: Partial<NodeTypeInfo> = {}): NodeTypeInfo => ({
  id,
  version: 1,
  kind: 'action',
  title: id,
  description: '',
  category: 'Data',
  icon: 'braces',
  effect: 'none',
  input: { type: 'object', properties: {} },
  output: {},
  ports: out,
  ...more,
});

export const exampleCatalog: CatalogInfo = {
  connectors: [
    {
      id: 'quickbooks',
      title: 'QuickBooks Online',
      category: 'Accounting',
      description: '',
      monogram: { text: 'QB', color: '#2ca01c' },
      options: ['vendors'],
    },
  ],
  nodeTypes: [
    type('core.record-event', {
      kind: 'trigger',
      title: 'A record changes',
      category: 'Triggers',
      trigger: 'record',
      output: {
        type: 'object',
        properties: {
          record: {
            type: 'object',
            properties: {
              id: { type: 'string' },
              number: { type: 'string' },
              total: { type: 'string' },
              memo: { type: 'string' },
              lines: {
                type: 'array',
                items: { type: 'object', properties: { amount: { type: 'string' } }, additionalProperties: false },
              },
            },
            required: ['id', 'number', 'total'],
            additionalProperties: false,
          },
        },
        additionalProperties: false,
      },
    }),
    type('core.if', {
      kind: 'logic',
      title: 'Condition',
      category: 'Logic',
      input: {
        type: 'object',
        properties: { condition: { type: 'boolean', title: 'Condition' } },
        required: ['condition'],
      },
      output: { type: 'object', properties: { matched: { type: 'boolean' } }, additionalProperties: false },
      ports: [
        { id: 'then', title: 'If true' },
        { id: 'else', title: 'Otherwise' },
      ],
    }),
    type('core.for-each', {
      kind: 'logic',
      title: 'For each item',
      category: 'Logic',
      control: 'each',
      input: {
        type: 'object',
        properties: { items: { type: 'array', title: 'List' } },
        required: ['items'],
      },
      output: { type: 'object', properties: { count: { type: 'integer' } }, additionalProperties: false },
      ports: [
        { id: 'out', title: 'Afterwards' },
        { id: 'each', title: 'Each item' },
      ],
    }),
    type('core.scope', {
      kind: 'logic',
      title: 'Scope',
      category: 'Logic',
      control: 'scope',
      input: {
        type: 'object',
        properties: { onFailure: { type: 'string', title: 'When a step fails', enum: ['undo', 'leave'] } },
      },
      output: { type: 'object', properties: {}, additionalProperties: false },
      ports: [
        { id: 'out', title: 'All done' },
        { id: 'error', title: 'One failed' },
        { id: 'each', title: 'Inside' },
      ],
    }),
    type('core.next-item', { kind: 'logic', title: 'Next item', category: 'Logic', control: 'next', ports: [] }),
    type('core.stop', { kind: 'logic', title: 'Stop here', category: 'Logic', ports: [] }),
    type('core.map', {
      title: 'Shape data',
      input: { type: 'object', properties: { value: { title: 'Value' } }, required: ['value'] },
    }),
    type('quickbooks.create-bill', {
      title: 'Create a bill',
      category: 'Accounting',
      connector: 'quickbooks',
      effect: 'create',
      input: {
        type: 'object',
        properties: {
          docNumber: { type: 'string', title: 'Bill number' },
          vendorId: { type: 'string', title: 'Vendor', optionsFrom: 'vendors' },
          memo: { type: 'string', advanced: true },
        },
        required: ['vendorId'],
      },
      output: {
        type: 'object',
        properties: { id: { type: 'string' }, number: { type: 'string' } },
        additionalProperties: false,
      },
    }),
  ],
};

export function typeOf(id: string): NodeTypeInfo {
  const found = exampleCatalog.nodeTypes.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`The example has no ${id}`);
  return found;
}

export const exampleFlow: FlowDocument = {
  schema: 1,
  params: { account: { title: 'Account', type: 'text', value: '28' } },
  connections: {
    quickbooks: { connector: 'quickbooks', title: 'QuickBooks Online', id: '6f9619ff-8b86-4011-b42d-00c04fc964ff' },
  },
  nodes: {
    approved: { type: 'core.record-event', version: 1, name: 'An invoice is approved', inputs: {} },
    bill: {
      type: 'quickbooks.create-bill',
      version: 1,
      name: 'Create the bill',
      connection: 'quickbooks',
      inputs: {
        docNumber: { kind: 'expression', source: 'trigger.record.number' },
        vendorId: { kind: 'literal', value: '45' },
      },
    },
    shape: {
      type: 'core.map',
      version: 1,
      name: 'Shape data',
      inputs: { value: { kind: 'expression', source: 'steps.bill.number' } },
    },
  },
  edges: [
    { id: 'approved:out:bill', from: 'approved', port: 'out', to: 'bill' },
    { id: 'bill:out:shape', from: 'bill', port: 'out', to: 'shape' },
  ],
  positions: { approved: { x: 0, y: 0 }, bill: { x: 0, y: 150 }, shape: { x: 0, y: 300 } },
};
