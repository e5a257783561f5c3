import type { z } from 'zod';
import { ConnectorFailure } from './failure.ts';
import type { OAuth2, TokenAnswer } from './connector.ts';

/** What a vendor's token endpoint answers, and how it is read. */
export interface TokenReader<T extends z.ZodType> {
  /** For messages: "QuickBooks Online". */
  readonly title: string;
  readonly answer: T;
  read(answer: z.infer<T>): TokenAnswer;
  /** Reads a refusal that came with HTTP 200, as Slack's do: its code. */
  readonly refusal?: (body: unknown) => string | undefined;
}

/** Declares how a vendor speaks OAuth 2. Addresses must be https: a token never travels in the open. */
export function oauth2<T extends z.ZodType>(
  declared: Omit<OAuth2, 'kind' | 'readToken'> & { readonly token: TokenReader<T> },
): OAuth2 {
  const { token, ...rest } = declared;
  for (const url of [rest.authorizeUrl, rest.tokenUrl, rest.revokeUrl])
    if (url !== undefined && !url.startsWith('https://')) throw new TypeError(`${token.title}: ${url} is not https`);
  return { ...rest, kind: 'oauth2', readToken: (body) => readToken(token, body) };
}

/**
 * Reads a token answer of one shape.
 * @throws ConnectorFailure `reauthorize` when the vendor refused, `contract` when the answer is no token. The answer itself is in no message.
 */
export function readToken<T extends z.ZodType>(reader: TokenReader<T>, body: unknown): TokenAnswer {
  const refused = reader.refusal?.(body);
  if (refused !== undefined)
    throw new ConnectorFailure({
      kind: 'reauthorize',
      code: refused,
      message: `${reader.title} refused to give access (${refused}). Connect the account again.`,
    });
  const parsed = reader.answer.safeParse(body);
  if (parsed.success) return reader.read(parsed.data);
  throw new ConnectorFailure({
    kind: 'contract',
    code: 'token_malformed',
    message: `${reader.title} answered something that is no token (${parsed.error.issues[0]?.path.join('.') ?? ''}). Try to connect again.`,
  });
}
