import { redirect } from '@sveltejs/kit';
import { links } from '#lib/links.ts';

export function load(): never {
  redirect(307, links.flows());
}
