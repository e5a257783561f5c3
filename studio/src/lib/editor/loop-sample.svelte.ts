import { containersAround, isLoop } from '@plumbline/workflows/flow';
import { api } from '../api/client.ts';
import type { Editor } from './editor.svelte.ts';
import type { Samples } from './samples.svelte.ts';

/** Works out what the first turn of the loops around a step would see of the chosen sample, so that its fields can be tried on it. */
export class LoopSample {
  readonly #editor: Editor;
  readonly #samples: Samples;
  #asked = '';

  constructor(editor: Editor, samples: Samples) {
    this.#editor = editor;
    this.#samples = samples;
  }

  async show(nodeId: string): Promise<void> {
    const { shown } = this.#editor;
    const around = containersAround(shown, nodeId).filter((id) => isLoop(this.#editor.typeOf(id)));
    const own = this.#editor.typeOf(nodeId)?.control === 'while' ? [nodeId] : [];
    const lists = [...around, ...own].map((id) => [id, shown.nodes[id]?.inputs['items']] as const);
    const asked = JSON.stringify([lists, this.#samples.chosen?.eventId]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    const base = this.#samples.chosen?.context ?? {};
    let turns: Record<string, unknown> = {};
    for (const [id, list] of lists) {
      let value: unknown = list?.kind === 'literal' ? list.value : undefined;
      if (list?.kind === 'expression') {
        try {
          const preview = await api.expressions.preview(list.source, { ...base, ...turns });
          value = preview.ok ? preview.value : undefined;
        } catch {
          value = undefined;
        }
      }
      // JSONata gives one thing where a list holds one.
      const items = value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
      const loop = {
        index: 0,
        ...(list ? { count: items.length } : {}),
        ...(items.length > 0 ? { item: items[0] as unknown } : {}),
      };
      turns = { loop, loops: { ...(turns['loops'] as object | undefined), [id]: loop } };
    }
    if (this.#asked === asked) this.#samples.turns = turns;
  }
}
