import { redirect } from '@sveltejs/kit';
import { catalog } from '#lib/catalog.svelte.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { links } from '#lib/links.ts';
import { session } from '#lib/session.svelte.ts';
import type { LayoutLoad } from './$types';

/** Every page here needs a session; without one the sign-in page remembers where to go on. */
export const load: LayoutLoad = async ({ url }) => {
  try {
    await session.load();
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.status === 401) {
      redirect(307, `${links.signIn()}?next=${encodeURIComponent(url.pathname + url.search)}`);
    }
    throw error;
  }
  // Not awaited: lists show monograms as soon as it is there, and the editor waits for it itself.
  catalog.load().catch(() => {});
};
