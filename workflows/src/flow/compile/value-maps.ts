import type { CatalogInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import type { FlowDocument } from '../schema.ts';
import { valueMapOf } from '../value-map-use.ts';

/** Checks what a step looks up in: that it is chosen, that the company has it, and that it has the column. */
export function checkLookup(document: FlowDocument, { valueMaps }: CatalogInfo, nodeId: string): Finding[] {
  const node = document.nodes[nodeId];
  if (node?.type !== 'core.lookup') return [];
  const say = (code: Finding['code'], field: string, message: string, fix: string): Finding[] => [
    { code, severity: 'error', nodeId, field, message: `"${node.name}" ${message}`, fix },
  ];
  const { source, map, column, table } = node.inputs;
  if (source?.kind === 'expression')
    return say('type_mismatch', 'source', 'cannot compute where it looks up.', 'Choose one of the two.');
  if (source?.value !== 'map') {
    const given =
      table !== undefined && (table.kind === 'expression' ? table.source.trim() !== '' : table.value !== null);
    return given ? [] : say('required_missing', 'table', 'needs Table.', 'Fill in the table, or choose a value map.');
  }
  if (map?.kind === 'expression')
    return say('type_mismatch', 'map', 'cannot compute which value map it looks up in.', 'Choose one.');
  const chosen = valueMapOf(node);
  if (!chosen)
    return say(
      'value_map_missing',
      'map',
      'has no value map to look up in.',
      'Choose one, or make one under Value maps.',
    );
  if (!valueMaps) return [];
  const found = valueMaps.find(({ id }) => id === chosen.id);
  if (!found)
    return say(
      'value_map_missing',
      'map',
      `looks up in the value map "${chosen.name}", which does not exist.`,
      'Choose another one, or make it under Value maps.',
    );
  const wanted = column?.kind === 'literal' && typeof column.value === 'string' ? column.value : '';
  const values = found.columns.filter(({ key }) => !key);
  if (wanted === '' || values.some(({ id }) => id === wanted)) return [];
  return say(
    'value_map_column_missing',
    'column',
    `takes the column "${wanted}", which the value map "${found.name}" does not have.`,
    `Choose one of ${values.map(({ title }) => `"${title}"`).join(', ')}, or add that column.`,
  );
}
