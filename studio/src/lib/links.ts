import { resolve } from '$app/paths';

/** Every page's address, so that a moved page is one change. */
export const links = {
  signIn: () => resolve('/sign-in'),
  flows: () => resolve('/(app)/flows'),
  /** With a step its panel is open, with a field too that field; with a run that run is painted on the canvas. */
  flow: (flow: string, at: { readonly step?: string; readonly field?: string; readonly run?: string } = {}) =>
    resolve('/(app)/flows/[flow]', { flow }) + asQuery(at),
  /** Two versions side by side: numbers, or `draft`. */
  versions: (flow: string, compare: { readonly from?: string; readonly to?: string } = {}) =>
    resolve('/(app)/flows/[flow]/versions', { flow }) + asQuery(compare),
  /** Names are those of `run-filter.ts`. */
  runs: (
    filter: {
      readonly flow?: string;
      readonly version?: string;
      readonly status?: string;
      readonly code?: string;
      readonly record?: string;
    } = {},
  ) => resolve('/(app)/runs') + asQuery(filter),
  run: (run: string) => resolve('/(app)/runs/[run]', { run }),
  queue: () => resolve('/(app)/queue'),
  /** Names of views are those of the API. */
  tasks: (view?: string) => resolve('/(app)/tasks') + asQuery({ view }),
  task: (task: string) => resolve('/(app)/tasks/[task]', { task }),
  health: () => resolve('/(app)/health'),
  templates: () => resolve('/(app)/templates'),
  template: (slug: string) => resolve('/(app)/templates/[slug]', { slug }),
  records: (entity?: string) => (entity ? resolve('/(app)/records/[entity]', { entity }) : resolve('/(app)/records')),
  record: (entity: string, id: string) => resolve('/(app)/records/[entity]/[id]', { entity, id }),
  valueMaps: () => resolve('/(app)/value-maps'),
  /** With a key, a row for it is begun; with a run, there is a way back to it. */
  valueMap: (map: string, at: { readonly key?: string; readonly run?: string } = {}) =>
    resolve('/(app)/value-maps/[map]', { map }) + asQuery(at),
  connections: () => resolve('/(app)/settings/integrations'),
  connector: (connector: string) => resolve('/(app)/settings/integrations/[connector]', { connector }),
  notifications: () => resolve('/(app)/notifications'),
};

function asQuery(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(given).toString();
  return query ? `?${query}` : '';
}
