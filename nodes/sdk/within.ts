/**
 * Does something that may take so many milliseconds: the signal it is given aborts after them with a `TimeoutError`, and with the reason of `around` when
 * that aborts. Nothing of it outlives the work. `AbortSignal.timeout` and `any` do, and tens of thousands of them keep the garbage collector busy.
 */
export async function within<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  around?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const give = (): void => controller.abort(around?.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
    ms,
  ).unref();
  if (around?.aborted) give();
  else around?.addEventListener('abort', give);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    around?.removeEventListener('abort', give);
  }
}
