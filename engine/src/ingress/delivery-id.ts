import { createHash } from 'node:crypto';
import { atPath, type WebhookConfig } from '@plumbline/nodes';
import { ApiError } from '../problem.ts';

/** Where vendors put the id of a delivery, inside of what they sign. */
const vendorPaths: Partial<Record<WebhookConfig['scheme'], readonly string[]>> = {
  stripe: ['id'],
  slack: ['event_id'],
  // Version 2 of their deliveries has both, and the second is unique on its own.
  procore: ['ulid', 'id'],
};

/** Whose query nobody can change who could not change the body as well: it is signed, or what is proved is the secret itself. */
const vouchesForQuery: ReadonlySet<WebhookConfig['scheme']> = new Set(['header', 'basic', 'twilio']);

/**
 * What a delivery is told apart by: an id that the sender signed, one in its body, one in a header, or failing all of these the hash of the body, and of the
 * query where the sender vouches for it. Never does leaving something out make a known delivery a new one: where a header is to hold the id, a delivery
 * without it is refused, because a header is not signed and anybody who has seen one delivery could send it again without.
 * @throws ApiError `delivery_id_missing`
 */
export function deliveryId(delivery: {
  readonly config: WebhookConfig;
  /** Signed together with the body, where the scheme does that. */
  readonly signedId: string | undefined;
  readonly headers: Headers;
  readonly body: unknown;
  readonly raw: Uint8Array;
  /** The query as it came, with its question mark; empty without one. */
  readonly search: string;
}): string {
  const { config, signedId, headers, body, raw, search } = delivery;
  if (signedId !== undefined) return signedId;
  for (const path of config.idPath ? [config.idPath] : (vendorPaths[config.scheme] ?? [])) {
    const value = atPath(body, path);
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') return named('id', String(value));
  }
  const header = config.idHeader ?? (config.scheme === 'github' ? 'X-GitHub-Delivery' : undefined);
  if (header && !config.idPath) {
    const value = headers.get(header) ?? '';
    if (value.trim() === '')
      throw new ApiError('delivery_id_missing', `The delivery has no header "${header}", which holds its id.`, {
        fix: 'Send the id, or change in the trigger where it is.',
      });
    return named('id', value.trim());
  }
  const hash = createHash('sha256').update(raw);
  if (search !== '' && vouchesForQuery.has(config.scheme)) hash.update(search);
  return `sha256:${hash.digest('hex')}`;
}

/** Ids of any length in a column of a bounded one; the prefix keeps them apart from hashes. */
function named(prefix: string, id: string): string {
  return id.length <= 200 ? `${prefix}:${id}` : `${prefix}-sha256:${createHash('sha256').update(id).digest('hex')}`;
}
