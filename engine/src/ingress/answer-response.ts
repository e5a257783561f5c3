import { json } from '@plumbline/db';
import { isAnswerHeader } from '@plumbline/nodes';
import type { FlowAnswer, Outcome } from './answers.ts';

/** Statuses that have no body. */
const bodiless = new Set([204, 205, 304]);

/** The response a flow wrote, without the headers that are not a flow's to set. */
export function toResponse({ status, headers: given, body }: FlowAnswer): Response {
  const headers = new Headers({ 'Cache-Control': 'no-store' });
  const isEmpty = body === null || bodiless.has(status);
  if (!isEmpty)
    headers.set('Content-Type', typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
  for (const [name, value] of Object.entries(given)) if (isAnswerHeader(name)) headers.set(name, value);
  return new Response(isEmpty ? null : typeof body === 'string' ? body : json(body), { status, headers });
}

/** What the sender is told when the flow gave no answer of its own: that it is done, or that it is being worked on. */
export function withoutAnswer(outcome: Exclude<Outcome, { kind: 'answered' }>, duplicate: boolean): Response {
  const done = outcome.kind === 'silent' && outcome.status === 'succeeded';
  return Response.json(
    {
      accepted: true,
      duplicate,
      runId: outcome.runId,
      status: outcome.kind === 'silent' ? outcome.status : 'running',
    },
    { status: done ? 200 : 202, headers: { 'Cache-Control': 'no-store' } },
  );
}
