import { loadCatalog } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { catalogInfo } from '../../catalog-info.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { compile } from './compile.ts';

const info = catalogInfo(await loadCatalog());

/** A flow that asks, with these inputs; expressions begin with `=`. */
function asking(
  inputs: Readonly<Record<string, unknown>>,
  ports: readonly string[] = ['approved', 'rejected'],
): FlowDocument {
  const node = (type: string, given: Readonly<Record<string, unknown>>): FlowNode => ({
    ...{ type, version: 1, name: type },
    inputs: Object.fromEntries(
      Object.entries(given).map(([field, value]): [string, Mapping] => [
        field,
        typeof value === 'string' && value.startsWith('=')
          ? { kind: 'expression', source: value.slice(1) }
          : { kind: 'literal', value: value as never },
      ]),
    ),
  });
  return {
    ...{ schema: 1, params: {}, connections: {}, positions: {} },
    nodes: {
      t: node('core.record-event', { entity: 'vendor_invoice', change: 'created' }),
      ask: node('core.approval', { title: 'Pay?', stages: [{ approvers: 'ana@x.example' }], ...inputs }),
      ...Object.fromEntries(ports.map((port) => [`on_${port}`, node('core.notify', { title: port })])),
    },
    edges: [
      { id: 't', from: 't', port: 'out', to: 'ask' },
      ...ports.map((port) => ({ id: port, from: 'ask', port, to: `on_${port}` })),
    ],
  };
}

const found = (document: FlowDocument) =>
  compile(document, info).findings.map(({ code, severity, field }) => `${severity} ${code} ${field ?? ''}`);

describe('a step that asks for approval', () => {
  test('has nothing to object to when it says who, how many and what for', () => {
    const chain = [
      { from: '0', approvers: 'ana@x.example, builders', need: 'any' },
      { from: '5000', approvers: 'b@x.example, c@x.example', need: 'some', count: 2 },
    ];
    const more = { amount: '=trigger.record.total', outcomes: [{ id: 'changes', title: 'Ask for changes' }] };
    expect(
      found(asking({ stages: chain, ...more, expiresAfterHours: 72 }, ['approved', 'rejected', 'changes', 'expired'])),
    ).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['nobody', { stages: [{ approvers: ' , ' }] }, 'error approver_missing stages'],
    [
      'nobody for whom there is an address or a role',
      { stages: [{ approvers: 'the boss' }] },
      'error approver_unknown stages',
    ],
    ['one who only looks on', { stages: [{ approvers: 'viewer' }] }, 'error approver_unknown stages'],
    [
      'more than it names',
      { stages: [{ approvers: 'a@x.example', need: 'some', count: 2 }] },
      'error approval_too_few stages',
    ],
    [
      'at least nobody knows how many',
      { stages: [{ approvers: 'a@x.example', need: 'some' }] },
      'error approval_count_missing stages',
    ],
    [
      'others in a stage, and not whom',
      { stages: [{ approvers: 'owner', times: 'own', escalateAfterHours: 2 }] },
      'error approver_missing stages',
    ],
    [
      'others in a stage that are nobody',
      { stages: [{ approvers: 'owner', times: 'own', escalateTo: 'whoever' }] },
      'error approver_unknown stages',
    ],
    [
      'a stage that may expire, undrawn',
      { stages: [{ approvers: 'owner', times: 'own', expiresAfterHours: 2 }] },
      'warning approval_expiry_undrawn expiresAfterHours',
    ],
    ['others, and not whom', { escalateAfterHours: 2 }, 'error approver_missing escalateTo'],
    ['others that are nobody', { escalateTo: 'whoever' }, 'error approver_unknown escalateTo'],
    [
      'by amounts and none is given',
      {
        stages: [
          { from: '0', approvers: 'owner' },
          { from: '9', approvers: 'owner' },
        ],
      },
      'warning approval_amount_missing amount',
    ],
    [
      'nobody under an amount',
      { amount: '=trigger.record.total', stages: [{ from: '500', approvers: 'owner' }] },
      'warning approval_amount_uncovered stages',
    ],
    [
      'and may expire without a way for it',
      { expiresAfterHours: 3 },
      'warning approval_expiry_undrawn expiresAfterHours',
    ],
    [
      'for two answers of one name',
      {
        outcomes: [
          { id: 'a', title: 'A' },
          { id: 'a', title: 'B' },
        ],
      },
      'error port_duplicate outcomes',
    ],
    [
      'for an answer that is there anyway',
      { outcomes: [{ id: 'expired', title: 'Late' }] },
      'error port_reserved outcomes',
    ],
    [
      'for a record',
      { form: [{ id: 'po', title: 'PO', type: 'record', entity: 'purchase_order' }] },
      'error approval_form_record form',
    ],
  ])('is told that it asks %s', (_, inputs, expected) => {
    expect(found(asking(inputs))).toContain(expected);
  });

  test('offers its own answers as ways out, and what is filled in as typed values', () => {
    const document = asking({ form: [{ id: 'code', title: 'Cost code', type: 'text', required: true }] });
    const tell = document.nodes['on_approved'] as { inputs: Record<string, Mapping> };
    tell.inputs['title'] = { kind: 'expression', source: 'steps.ask.values.code' };
    expect(found(document)).toEqual([]);
    tell.inputs['title'] = { kind: 'expression', source: 'steps.ask.values.cod' };
    expect(found(document)).toContain('error path_unknown title');
  });
});
