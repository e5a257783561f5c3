import { toast } from 'svelte-sonner';
import { asProblem } from './api/problem.ts';

/** Says in a corner that something was done. */
export function tellDone(text: string): void {
  toast.success(text);
}

/** Says in a corner what went wrong and what the reader can do. */
export function tellProblem(error: unknown): void {
  const { detail, fix } = asProblem(error);
  toast.error(detail, fix ? { description: fix, duration: 8_000 } : {});
}
