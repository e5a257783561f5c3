import type { Problem } from '@plumbline/engine/contract';
import { ApiProblem, local, unreachable } from './problem.ts';

/** What may vary in a call. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Empty and absent values are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Statuses beside 2xx that come with what was asked for. */
  readonly alsoFine?: readonly number[];
}

let signedOut: () => void = () => {};

/** Registers what happens when a call finds the session gone. */
export function onSignedOut(act: () => void): void {
  signedOut = act;
}

/** One call to the engine. @throws ApiProblem for every answer that is not 2xx, and when there is no answer. */
export async function send<T>(path: string, call: Call = {}): Promise<T> {
  const { method = 'GET', body, query = {}, headers = {}, signal, alsoFine = [] } = call;
  const parameters = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  const search = parameters.toString();
  let response: Response;
  try {
    response = await fetch(search ? `${path}?${search}` : path, {
      method,
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachable(cause);
  }
  if (response.status === 204) return undefined as T;
  if (response.ok || alsoFine.includes(response.status)) return (await response.json()) as T;
  const problem = await readProblem(response);
  if (response.status === 401 && !path.startsWith('/api/session')) signedOut();
  throw new ApiProblem(problem);
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.detail === 'string' && typeof body.code === 'string') return body as Problem;
  } catch {
    // not JSON: a proxy's page, most likely
  }
  return local({
    status: response.status,
    code: 'unexpected_answer',
    title: 'Unexpected answer',
    detail: `The engine answered ${response.status} without saying why.`,
    fix: 'Try again; if it happens again, look at the engine’s log.',
  });
}
