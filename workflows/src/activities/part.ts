import { sql, type RawBuilder } from 'kysely';

/** The part of a run that stands in a container, at one place; at top level, at every place. */
export interface Part {
  readonly nodes: readonly string[];
  readonly iteration: string;
}

/** Whether a row is of a step in a part, at any depth. */
export function isIn({ nodes, iteration }: Part, table: 'steps' | 'locks' = 'steps'): RawBuilder<boolean> {
  const [node, place] = [sql.ref(`${table}.node_id`), sql.ref(`${table}.iteration`)];
  const isOne = sql<boolean>`${node} = any(${[...nodes]}::text[])`;
  if (iteration === '') return isOne;
  return sql<boolean>`(${isOne} and (${place} = ${iteration} or starts_with(${place}, ${`${iteration}.`})))`;
}
