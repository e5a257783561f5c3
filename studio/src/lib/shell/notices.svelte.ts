import type { Notice } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { Resource } from '../api/resource.svelte.ts';

const SEEN = 'plumbline.notices-seen';

/** The company's notifications, and which of them this browser has not shown yet. */
class Notices {
  readonly list = new Resource<readonly Notice[]>(api.notifications);
  #seen = $state(localStorage.getItem(SEEN) ?? '');

  get unseen(): number {
    return (this.list.value ?? []).filter((notice) => !notice.readAt && notice.createdAt > this.#seen).length;
  }

  isNew(notice: Notice): boolean {
    return !notice.readAt && notice.createdAt > this.#seen;
  }

  /** Remembers that everything listed now was shown. */
  markSeen(): void {
    const newest = this.list.value?.reduce(
      (latest, notice) => (notice.createdAt > latest ? notice.createdAt : latest),
      '',
    );
    if (!newest || newest <= this.#seen) return;
    this.#seen = newest;
    localStorage.setItem(SEEN, newest);
  }
}

export const notices = new Notices();
