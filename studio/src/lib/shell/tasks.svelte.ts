import { api } from '../api/client.ts';
import { Resource } from '../api/resource.svelte.ts';

/** How many tasks wait for the reader: the mark beside the page's name. */
class Tasks {
  readonly count = new Resource(api.tasks.count);

  get mine(): number {
    return this.count.value?.mine ?? 0;
  }
}

export const tasks = new Tasks();
