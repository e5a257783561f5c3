import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyOf } from './canonical-history.ts';

/** Where the code of our workflows begins. */
export const workflowsPath = fileURLToPath(new URL('../../workflows/src/workflows/index.ts', import.meta.url));

/** Where recorded histories lie, one file a situation. */
export const historiesFolder = new URL('./histories/', import.meta.url);

export interface Recorded {
  /** Situation, and which one of its histories. */
  readonly workflowId: string;
  readonly history: ReturnType<typeof historyOf>;
}

/** Every recorded history. */
export async function recordedHistories(): Promise<readonly Recorded[]> {
  const files = (await readdir(historiesFolder)).filter((file) => file.endsWith('.json')).sort();
  const all = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, historiesFolder), 'utf8');
      const { name, histories } = JSON.parse(text) as { readonly name: string; readonly histories: readonly unknown[] };
      return histories.map((json, index) => ({
        workflowId: index === 0 ? name : `${name} (${index + 1})`,
        history: historyOf(json),
      }));
    }),
  );
  return all.flat();
}
