import { findNodeType, type CatalogInfo, type FieldTitles } from '@plumbline/workflows/flow';
import { formOf } from '../editor/fields/form.ts';

/** What a step's fields are called, as its form calls them. */
export function fieldTitles(catalog: CatalogInfo | undefined): FieldTitles {
  return (node) =>
    Object.fromEntries(
      formOf((catalog && findNodeType(catalog, node.type, node.version)?.input) ?? {}).map(({ name, title }) => [
        name,
        title,
      ]),
    );
}
