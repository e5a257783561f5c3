import { resolve } from '$app/paths';

/** Every page's address, so that a moved page is one change. */
export const links = {
  signIn: () => resolve('/sign-in'),
  flows: () => resolve('/(app)/flows'),
  flow: (flow: string) => resolve('/(app)/flows/[flow]', { flow }),
  runs: (filter: { readonly flow?: string; readonly status?: string } = {}) => {
    const query = new URLSearchParams(Object.entries(filter)).toString();
    return resolve('/(app)/runs') + (query ? `?${query}` : '');
  },
  run: (run: string) => resolve('/(app)/runs/[run]', { run }),
  queue: () => resolve('/(app)/queue'),
  health: () => resolve('/(app)/health'),
  templates: () => resolve('/(app)/templates'),
  template: (slug: string) => resolve('/(app)/templates/[slug]', { slug }),
  records: (entity?: string) => (entity ? resolve('/(app)/records/[entity]', { entity }) : resolve('/(app)/records')),
  record: (entity: string, id: string) => resolve('/(app)/records/[entity]/[id]', { entity, id }),
  connections: () => resolve('/(app)/settings/integrations'),
  connector: (connector: string) => resolve('/(app)/settings/integrations/[connector]', { connector }),
  notifications: () => resolve('/(app)/notifications'),
};
