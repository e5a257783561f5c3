import { readdir } from 'node:fs/promises';
import type { Catalog, Connector } from './sdk/connector.ts';
import type { NodeType } from './sdk/node-type.ts';

/**
 * Finds every core node and every connector folder; nothing else lists them.
 * @throws Error when two node types share an id and version, or a connector's folder has another name than its id.
 */
export async function loadCatalog(): Promise<Catalog> {
  const connectors = new Map<string, Connector>();
  const nodeTypes = new Map<string, NodeType>();
  const add = (type: NodeType): void => {
    const key = `${type.id}@${type.version}`;
    if (nodeTypes.has(key)) throw new Error(`Two node types are called ${key}`);
    nodeTypes.set(key, type);
  };
  for (const file of (await readdir(new URL('./core/', import.meta.url))).sort()) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const module = (await import(new URL(`./core/${file}`, import.meta.url).href)) as Record<string, unknown>;
    if (isNodeType(module['node'])) add(module['node']);
  }
  for (const folder of (await readdir(new URL('./connectors/', import.meta.url))).sort()) {
    const module = (await import(new URL(`./connectors/${folder}/index.ts`, import.meta.url).href)) as {
      readonly connector: Connector;
    };
    if (module.connector.id !== folder)
      throw new Error(`The connector in folder "${folder}" calls itself "${module.connector.id}"`);
    connectors.set(folder, module.connector);
    module.connector.nodes.forEach(add);
  }
  return { connectors, nodeTypes };
}

function isNodeType(value: unknown): value is NodeType {
  return typeof value === 'object' && value !== null && 'id' in value && 'kind' in value;
}
