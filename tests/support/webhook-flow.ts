import { signStandardWebhook } from '@plumbline/nodes';
import type { FlowDetail, TriggerInfo } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { FlowDocument } from '@plumbline/workflows/flow';

/** A flow as it is drawn, wherever its steps stand. */
export type Drawing = Omit<FlowDocument, 'schema' | 'positions'>;

export interface WebhookFlow {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  /** Posts a signed delivery. */
  post(id: string, body: unknown): Promise<Response>;
}

/** Publishes a flow that begins with the webhook node `incoming`, and turns it on. */
export async function publishWebhookFlow(client: StudioClient, name: string, document: Drawing): Promise<WebhookFlow> {
  const flow = await publishFlow(client, name, document);
  const [trigger] = await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`);
  const url = trigger?.webhook?.url ?? '';
  const { secret } = await client.call<{ secret: string }>(
    'POST',
    `/api/flows/${flow.id}/triggers/${trigger?.nodeId}/secret`,
  );
  return { id: flow.id, url, secret, post: (id, body) => postSigned({ url, secret }, id, body) };
}

/** Saves, publishes and turns on a flow. */
export async function publishFlow(client: StudioClient, name: string, document: Drawing): Promise<FlowDetail> {
  const { id, revision } = await client.call<FlowDetail>('POST', '/api/flows', { name });
  await client.call(
    'PUT',
    `/api/flows/${id}/draft`,
    { name, document: { schema: 1, positions: {}, ...document } },
    { 'If-Match': `"${revision}"` },
  );
  await client.call('POST', `/api/flows/${id}/publish`, {});
  await client.call('POST', `/api/flows/${id}/switch`, { on: true });
  return await client.call<FlowDetail>('GET', `/api/flows/${id}`);
}

/** One delivery as Standard Webhooks say. */
export async function postSigned(
  endpoint: { readonly url: string; readonly secret: string },
  id: string,
  body: unknown,
): Promise<Response> {
  const bytes = Buffer.from(JSON.stringify(body));
  return await fetch(endpoint.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...signStandardWebhook({ secret: endpoint.secret, id, timestamp: Math.floor(Date.now() / 1_000), body: bytes }),
    },
    body: bytes,
  });
}

/** A node of the first version with literal inputs as given, and expressions where the text begins with `=`. */
export function node(type: string, name: string, inputs: Readonly<Record<string, unknown>> = {}, more: object = {}) {
  return {
    type,
    version: 1,
    name,
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([field, value]) => [
        field,
        typeof value === 'string' && value.startsWith('=')
          ? { kind: 'expression', source: value.slice(1) }
          : { kind: 'literal', value },
      ]),
    ) as FlowDocument['nodes'][string]['inputs'],
    ...more,
  };
}

/** Edges in a row: `line('a', 'b', 'c')`, each from the port `out`. */
export function line(...ids: readonly string[]): FlowDocument['edges'] {
  return ids.slice(1).map((to, index) => ({ id: `${ids[index]}:out:${to}`, from: ids[index] ?? '', port: 'out', to }));
}
