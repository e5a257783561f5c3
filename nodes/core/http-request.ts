import { z } from 'zod';
import {
  checkHeaders,
  ConnectorFailure,
  defineAction,
  failureWithoutAnswer,
  isConnectorFailure,
  readCapped,
  refusalOfStatus,
} from '../sdk/index.ts';

const input = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST').meta({ title: 'Method' }),
  url: z.string().min(1).max(2_000).meta({ title: 'Address', description: 'An https address on the internet.' }),
  headers: z.record(z.string(), z.string().max(8_000)).optional().meta({ title: 'Headers', advanced: true }),
  body: z.json().optional().meta({ title: 'Body', description: 'Sent as JSON.', multiline: true }),
  honoursKey: z.boolean().default(false).meta({
    title: 'It knows a repeat by its Idempotency-Key',
    description: 'Then a request whose answer was lost is sent again by itself. Otherwise it waits for a person.',
    advanced: true,
  }),
});

const BODY_MAX_BYTES = 1024 * 1024;

/**
 * Calls any system on the open internet; private addresses are refused, at save and at connect.
 *
 * Our key travels as `Idempotency-Key`. Nobody is known to honour it until the flow says so, so a changing request whose answer was lost waits for a
 * person.
 * A GET is a read and repeats.
 */
export const node = defineAction({
  id: 'core.http-request',
  title: 'Call a web address',
  description: 'Sends a request to any system that has an API.',
  category: 'Network',
  icon: 'globe',
  effect: 'create',
  effectFor: ({ method }) => (method === 'GET' ? 'read' : 'create'),
  idempotencyFor: ({ honoursKey }) => (honoursKey ? 'key' : 'none'),
  source: 'https://www.rfc-editor.org/rfc/rfc9110',
  input,
  output: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.unknown() }),
  async run({ input: { method, url, headers: given = {}, body }, fetchPublic, idempotencyKey, signal, now }) {
    checkHeaders(given);
    if (method === 'GET' && body !== undefined)
      throw new ConnectorFailure({
        kind: 'invalid',
        code: 'body_forbidden',
        message: 'A GET has no body. Leave the body empty, or choose another method.',
      });
    const headers = new Headers({ Accept: 'application/json', 'Idempotency-Key': idempotencyKey });
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    for (const [name, value] of Object.entries(given)) headers.set(name, value);
    const title = URL.canParse(url) ? new URL(url).host : 'The address';
    const mutating = method !== 'GET';
    let response: Response;
    let text: string;
    try {
      const init = { method, signal, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      response = await fetchPublic(url, init);
      text = await readCapped(response, BODY_MAX_BYTES);
    } catch (cause) {
      if (isConnectorFailure(cause)) throw cause;
      throw failureWithoutAnswer({ title, request: { method, path: new URL(url).pathname }, mutating, cause });
    }
    const { status } = response;
    const refusal = refusalOfStatus(status, response.headers, mutating, now());
    if (refusal)
      throw new ConnectorFailure({
        ...refusal,
        // There is no account to reconnect: the key that was refused stands in the step's own headers.
        kind: refusal.kind === 'reauthorize' ? 'invalid' : refusal.kind,
        status,
        message: `${title} answered ${method} with ${status}. Look at what it says, correct the request and retry.`,
        vendorMessage: text.slice(0, 300),
      });
    const answered = Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));
    return { output: { status, headers: answered, body: readBody(text) } };
  },
});

/** JSON where it is JSON, text where it is not, null where there is none. */
function readBody(text: string): unknown {
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}
