import type { Notice } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { Resource } from '../api/resource.svelte.ts';

/** The company's notifications, and which of them are news to whoever looks. */
class Notices {
  readonly list = new Resource<readonly Notice[]>(api.notifications);

  get unseen(): number {
    return (this.list.value ?? []).filter((notice) => !notice.seen && !notice.overAt).length;
  }

  /** Remembers that this person, and nobody else, has seen what is listed now. */
  markSeen(): void {
    const ids = (this.list.value ?? []).filter((notice) => !notice.seen).map(({ id }) => id);
    if (ids.length > 0) api.markNotificationsRead(ids).catch(() => {});
  }
}

export const notices = new Notices();
