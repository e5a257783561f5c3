import type { ConnectionSummary } from '@plumbline/engine/contract';
import { createContext } from 'svelte';
import { api } from '../api/client.ts';
import { onChange } from '../api/live.svelte.ts';
import { asProblem } from '../api/problem.ts';
import type { Editor } from './editor.svelte.ts';

/** The company's connections, as a flow's slots are filled from them. */
export class Connections {
  list = $state.raw<readonly ConnectionSummary[]>([]);
  error = $state<string>();
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  of(connector: string): readonly ConnectionSummary[] {
    return this.list.filter((connection) => connection.connector === connector && connection.status !== 'disconnected');
  }

  async load(): Promise<void> {
    try {
      this.list = await api.connections.list();
      this.error = undefined;
      this.#editor.candidates = this.list.filter((connection) => connection.status !== 'disconnected');
    } catch (error) {
      this.error = asProblem(error).detail;
    }
  }

  watch(): () => void {
    void this.load();
    return onChange('connection', () => void this.load());
  }
}

const [getConnections, setConnections] = createContext<Connections>();
export { getConnections, setConnections };
