import type { Problem, StepDecision, StepDetail } from '@plumbline/engine/contract';
import { exampleOf, type CatalogInfo } from '@plumbline/workflows/flow';
import { JsonText } from '../ui/json-text.svelte.ts';

type NodeTypeInfo = CatalogInfo['nodeTypes'][number];

/** What somebody is about to decide about one step. */
export type DecisionKind = 'edit' | 'skip' | 'error_port' | 'abort';

/** One decision in the making; made anew each time its dialog opens. */
export class StepChoice {
  readonly kind: DecisionKind;
  /** For `edit` what the mapping gave, for `skip` an answer of the step's shape. */
  readonly json: JsonText;
  port = $state('');
  compensate = $state(false);
  problem = $state.raw<Problem>();
  readonly #iteration: string;

  constructor(kind: DecisionKind, step: StepDetail, type: () => NodeTypeInfo | undefined) {
    this.kind = kind;
    this.#iteration = step.iteration;
    const { input, output } = type() ?? {};
    this.json =
      kind === 'edit'
        ? new JsonText(step.input ?? exampleOf(input) ?? {}, () => type()?.input)
        : new JsonText(exampleOf(output) ?? {});
  }

  readonly ready = $derived.by(() => (this.kind !== 'edit' && this.kind !== 'skip') || this.json.fine);

  decision(): StepDecision {
    const iteration = this.#iteration;
    if (this.kind === 'edit')
      return { action: 'retry', iteration, input: this.json.parsed?.value as Record<string, unknown> };
    if (this.kind === 'skip')
      return { action: 'skip', iteration, output: this.json.parsed?.value, ...(this.port ? { port: this.port } : {}) };
    if (this.kind === 'abort') return { action: 'abort', iteration, ...(this.compensate ? { compensate: true } : {}) };
    return { action: 'error_port', iteration };
  }
}
