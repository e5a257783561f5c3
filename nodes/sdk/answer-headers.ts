import { checkHeaders } from './check-url.ts';
import { ConnectorFailure } from './failure.ts';

/** Headers of an answer that are ours alone: they frame it, speak for our origin, or leave something in the caller's browser. */
const ours =
  /^(set-cookie2?|server|date|age|alt-svc|clear-site-data|content-security-policy.*|content-encoding|cross-origin-.*|access-control-.*|permissions-policy|public-key-pins|refresh|service-worker-allowed|sourcemap|strict-transport-security|x-content-type-options|x-frame-options|x-request-id)$/;

/** Whether a flow may set this header of its answer. */
export function isAnswerHeader(name: string): boolean {
  return !ours.test(name.toLowerCase());
}

/** @throws ConnectorFailure `invalid`, code `header_forbidden` */
export function checkAnswerHeaders(headers: Readonly<Record<string, string>>): void {
  checkHeaders(headers);
  const forbidden = Object.keys(headers).find((name) => !isAnswerHeader(name));
  if (forbidden === undefined) return;
  throw new ConnectorFailure({
    kind: 'invalid',
    code: 'header_forbidden',
    message: `The header "${forbidden}" of an answer may not be set. Remove it.`,
  });
}
