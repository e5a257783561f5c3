import type { Me, Role } from '@plumbline/engine/contract';
import { goto } from '$app/navigation';
import { api } from './api/client.ts';
import { live } from './api/live.svelte.ts';
import { links } from './links.ts';
import { onSignedOut } from './api/send.ts';

const rank: Readonly<Record<Role, number>> = { viewer: 0, builder: 1, admin: 2, owner: 3 };

/** Who is signed in, for which company. */
class Session {
  me = $state.raw<Me>();

  /** The company's time zone; the browser's until it is known. */
  get zone(): string {
    return this.me?.company.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  get currency(): string {
    return this.me?.company.currency ?? 'USD';
  }

  /** Whether the person's role is at least this one. */
  atLeast(role: Role): boolean {
    return this.me !== undefined && rank[this.me.role] >= rank[role];
  }

  /** Loads the session; `undefined` when nobody is signed in. */
  async load(): Promise<Me | undefined> {
    if (!this.me && (await api.session.options()).signedIn) this.me = await api.session.me();
    return this.me;
  }

  async signIn(email: string, password: string): Promise<void> {
    this.me = await api.session.signIn(email, password);
  }

  async tryDemo(): Promise<void> {
    this.me = await api.session.demo();
  }

  async signOut(): Promise<void> {
    await api.session.signOut();
    this.#leave();
  }

  /** Changes company; the whole page is drawn again, because nothing on it may belong to the former one. */
  async switchCompany(companyId: string): Promise<void> {
    await api.session.switchCompany(companyId);
    window.location.assign(links.flows());
  }

  #leave(): void {
    live.close();
    // A reload, so that no value of the former person stays in memory.
    window.location.assign(links.signIn());
  }
}

export const session = new Session();

onSignedOut(() => {
  if (window.location.pathname.startsWith('/sign-in')) return;
  session.me = undefined;
  const next = window.location.pathname + window.location.search;
  void goto(`${links.signIn()}?next=${encodeURIComponent(next)}`);
});
