import { redirect } from '@sveltejs/kit';
import { catalog } from '#lib/catalog.svelte.ts';
import { links } from '#lib/links.ts';
import { session } from '#lib/session.svelte.ts';
import type { LayoutLoad } from './$types';

/** Every page here needs a session; without one the sign-in page remembers where to go on. */
export const load: LayoutLoad = async ({ url }) => {
  if (!(await session.load())) redirect(307, `${links.signIn()}?next=${encodeURIComponent(url.pathname + url.search)}`);
  // Not awaited: lists show monograms as soon as it is there, and the editor waits for it itself.
  catalog.load().catch(() => {});
};
