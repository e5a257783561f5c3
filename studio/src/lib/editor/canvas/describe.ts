import type { CatalogInfo, FlowNode, NodeTypeInfo } from '@plumbline/workflows/flow';
import type { StepStatus } from '@plumbline/engine/contract';
import { words } from '../../format.ts';
import { comparisons, readCondition, readNumber, takesValue, type ConditionRow } from '../fields/condition.ts';
import { readPath } from '../fields/path.ts';

/** States of a step in a run, in an office's words. */
export const statusWords: Readonly<Record<StepStatus, string>> = {
  running: 'running',
  succeeded: 'done',
  failed: 'failed',
  skipped: 'skipped',
  waiting: 'waiting',
  parked: 'needs a person',
};

/** What a step does in plain words: "Create a bill · QuickBooks Online", "If Total is more than 10000". Never only its own name again. */
export function operationOf(
  type: NodeTypeInfo | undefined,
  node: Pick<FlowNode, 'type' | 'inputs'> & { readonly name?: string },
  catalog: CatalogInfo | undefined,
): string {
  if (!type) return `Unknown step ${node.type}`;
  const connector = catalog?.connectors.find((candidate) => candidate.id === type.connector);
  if (type.trigger === 'record') {
    const { entity, change } = Object.fromEntries(
      Object.entries(node.inputs).map(([field, mapping]) => [field, mapping.kind === 'literal' ? mapping.value : null]),
    );
    if (typeof entity === 'string' && typeof change === 'string') return `${sentence(entity)} ${change}`;
  }
  if (type.id === 'core.if') {
    const said = conditionInWords(node.inputs['condition']);
    if (said) return said;
  }
  if (connector) return `${type.title} · ${connector.title}`;
  return node.name === type.title && type.description !== '' ? type.description : type.title;
}

function conditionInWords(mapping: FlowNode['inputs'][string] | undefined): string | undefined {
  const condition = mapping?.kind === 'expression' ? readCondition(mapping.source) : undefined;
  if (!condition || condition.rows.length === 0) return undefined;
  const rows = condition.rows.map(
    (row) =>
      `${words(readPath(row.path)?.names.at(-1) ?? row.path)} ${comparisons[row.is]}${takesValue(row.is) ? ` ${said(row)}` : ''}`,
  );
  return `If ${rows.join(condition.join === 'all' ? ' and ' : ' or ')}`;
}

/** Numbers with their thousands marked; decimal text stays exact. */
function said({ is, value }: ConditionRow): string {
  const digits = is === 'more' || is === 'least' || is === 'less' || is === 'most' ? readNumber(value) : undefined;
  return digits === undefined
    ? value
    : new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 }).format(digits as `${number}`);
}

function sentence(id: string): string {
  const text = id.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** How a screen reader says a card: "Step 3, Create the bill, Create a bill · QuickBooks Online, failed, 2 problems". */
export function cardLabel(card: {
  readonly number: number;
  readonly name: string;
  readonly operation: string;
  readonly status?: string | undefined;
  readonly errors: number;
  readonly disabled: boolean;
  readonly loop?: { readonly steps: number; readonly closed: boolean } | undefined;
  readonly pinned?: boolean;
  /** Name of the loop or scope it stands in. */
  readonly around?: string | undefined;
}): string {
  return [
    `Step ${card.number}`,
    card.name,
    card.operation === card.name ? '' : card.operation,
    card.around === undefined ? '' : `in ${card.around}`,
    card.loop ? `${card.loop.steps === 1 ? '1 step' : `${card.loop.steps} steps`} inside` : '',
    card.loop?.closed ? 'closed' : '',
    card.status ?? '',
    card.disabled ? 'switched off' : '',
    card.pinned ? 'pinned' : '',
    card.errors === 0 ? '' : card.errors === 1 ? '1 problem' : `${card.errors} problems`,
  ]
    .filter(Boolean)
    .join(', ');
}
