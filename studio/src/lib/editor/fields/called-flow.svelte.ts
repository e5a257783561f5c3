import type { FlowSummary } from '@plumbline/engine/contract';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { api } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';
import { calledFields, type CalledField } from './call-values.ts';

const INPUT = 'core.flow-input';

/** The flows that others may call, and what the chosen one asks for. */
export class CalledFlow {
  flows = $state.raw<readonly FlowSummary[]>([]);
  fields = $state.raw<readonly CalledField[]>([]);
  /** Names of what it hands back, where it says so by name. */
  results = $state.raw<readonly string[]>([]);
  loaded = $state(false);
  error = $state<string>();
  #shown = '';

  async load(): Promise<void> {
    try {
      const { items } = await api.flows.list();
      this.flows = items.filter(({ trigger }) => trigger?.type === INPUT);
      this.loaded = true;
      this.error = undefined;
    } catch (error) {
      this.error = asProblem(error).detail;
    }
  }

  /** Reads what a flow asks for: of its published version, which is what is called; of its draft while there is none. */
  async show(flowId: string | undefined): Promise<void> {
    if (flowId === this.#shown) return;
    this.#shown = flowId ?? '';
    this.fields = [];
    this.results = [];
    if (!flowId) return;
    try {
      const { publishedVersion, draft } = await api.flows.get(flowId);
      const document = publishedVersion === null ? draft : (await api.flows.version(flowId, publishedVersion)).document;
      if (this.#shown !== flowId) return;
      const trigger = Object.values(document.nodes).find(({ type }) => type === INPUT);
      this.fields = trigger ? calledFields(trigger.inputs) : [];
      this.results = resultsOf(document);
      this.error = undefined;
    } catch (error) {
      this.error = asProblem(error).detail;
    }
  }
}

function resultsOf(document: FlowDocument): readonly string[] {
  const names = Object.values(document.nodes).flatMap(({ type, inputs }) => {
    const values = type === 'core.return' ? inputs['values'] : undefined;
    if (values?.kind === 'literal' && typeof values.value === 'object' && values.value !== null)
      return Object.keys(values.value);
    return values?.kind === 'expression'
      ? [...values.source.matchAll(/"([A-Za-z_]\w*)"\s*:/g)].map(([, name = '']) => name)
      : [];
  });
  return [...new Set(names)];
}
