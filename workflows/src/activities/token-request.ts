import { ConnectorFailure, type Connector, type TokenAnswer } from '@plumbline/nodes';
import * as oauth from 'oauth4webapi';
import type { OAuthClient } from './dependencies.ts';

/**
 * Asks a token endpoint (code exchange or refresh) and reads the answer as that vendor gives it.
 * @throws ConnectorFailure `reauthorize` when the grant is refused, `unavailable` or `contract` otherwise.
 */
export async function requestToken(request: {
  readonly connector: Connector;
  readonly client: OAuthClient;
  readonly tokenUrl: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
}): Promise<TokenAnswer> {
  const { connector, client } = request;
  const grantType = request.parameters['grant_type'] ?? 'authorization_code';
  const authenticate =
    connector.auth.clientAuthentication === 'basic'
      ? oauth.ClientSecretBasic(client.clientSecret)
      : oauth.ClientSecretPost(client.clientSecret);
  let response: Response;
  try {
    response = await oauth.genericTokenEndpointRequest(
      { issuer: new URL(request.tokenUrl).origin, token_endpoint: request.tokenUrl },
      { client_id: client.clientId },
      authenticate,
      grantType,
      new URLSearchParams(Object.entries(request.parameters).filter(([name]) => name !== 'grant_type')),
      // Sandboxes live on loopback without TLS; live URLs come from the connector and are https.
      { [oauth.customFetch]: request.fetch, [oauth.allowInsecureRequests]: true, signal: AbortSignal.timeout(15_000) },
    );
  } catch (cause) {
    throw new ConnectorFailure({
      kind: 'unavailable',
      code: 'token_unreachable',
      message: `${connector.title} could not be reached to get access.`,
      cause,
    });
  }
  const text = (await response.text()).slice(0, 100_000);
  if (response.status === 400 || response.status === 401)
    throw new ConnectorFailure({
      kind: 'reauthorize',
      code: errorCode(text) ?? 'invalid_grant',
      status: response.status,
      message: `${connector.title} refused to give access.`,
    });
  if (!response.ok)
    throw new ConnectorFailure({
      kind: response.status === 429 ? 'throttled' : 'unavailable',
      code: `http_${response.status}`,
      status: response.status,
      message: `${connector.title} answered ${response.status} when asked for access.`,
    });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new ConnectorFailure({
      kind: 'contract',
      code: 'token_malformed',
      message: `${connector.title} answered something that is no token.`,
      cause,
    });
  }
  const answer = connector.auth.readToken(body);
  if (answer.expiresIn !== undefined && !(answer.expiresIn > 0 && answer.expiresIn < 100 * 365 * 86_400))
    throw new ConnectorFailure({
      kind: 'contract',
      code: 'token_malformed',
      message: `${connector.title} gave an access that ends at an impossible time.`,
    });
  return answer;
}

function errorCode(text: string): string | undefined {
  const match = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(text);
  return match?.[1];
}
