import type { Notice } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { Resource } from '../api/resource.svelte.ts';

/** The company's notifications, and which of them nobody has seen yet. */
class Notices {
  readonly list = new Resource<readonly Notice[]>(api.notifications);

  get unseen(): number {
    return (this.list.value ?? []).filter((notice) => !notice.readAt).length;
  }

  isNew(notice: Notice): boolean {
    return !notice.readAt;
  }

  /** Remembers, for everybody of the company, that what is listed now was seen. */
  markSeen(): void {
    const ids = (this.list.value ?? []).filter((notice) => !notice.readAt).map(({ id }) => id);
    if (ids.length > 0) api.markNotificationsRead(ids).catch(() => {});
  }
}

export const notices = new Notices();
