import type { ConnectionSummary } from '@plumbline/engine/contract';
import { partUpTo, type FlowDocument } from '@plumbline/workflows/flow';

/** Accounts that a test up to a step would touch, by name: sandboxes, which are written to, and live ones, which are not. */
export function accountsOf(
  document: FlowDocument,
  nodeId: string | undefined,
  connections: readonly Pick<ConnectionSummary, 'id' | 'name' | 'environment'>[],
): { readonly sandbox: readonly string[]; readonly live: readonly string[] } {
  const { nodes } = nodeId === undefined ? document : partUpTo(document, nodeId);
  const slots = new Set(Object.values(nodes).map(({ connection }) => connection));
  const used = new Set([...slots].map((slot) => document.connections[slot ?? '']?.id));
  const found = connections.filter(({ id }) => used.has(id));
  const names = (environment: string) =>
    found.filter((connection) => connection.environment === environment).map(({ name }) => name);
  return { sandbox: names('sandbox'), live: names('live') };
}
