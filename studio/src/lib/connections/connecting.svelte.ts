import type { ConnectionSummary, Problem } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { local } from '../api/problem.ts';
import { tellDone, tellProblem } from '../tell.ts';

/** What one can do with a connection; `changed` fetches again what is shown. */
export class Connecting {
  /** `<what>:<id>` while it is on its way. */
  busy = $state<string>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Leaves for the app's (or its sandbox's) consent page, which comes back to this page. */
  async connect(connector: string, environment: 'sandbox' | 'live', connectionId?: string): Promise<void> {
    this.busy = `connect:${connectionId ?? `${connector}:${environment}`}`;
    try {
      const returnTo = window.location.pathname;
      const { url } = await api.connections.authorize({
        connector,
        environment,
        returnTo,
        ...(connectionId ? { connectionId } : {}),
      });
      window.location.assign(url);
    } catch (error) {
      tellProblem(error);
      this.busy = undefined;
    }
  }

  async test(connection: ConnectionSummary): Promise<void> {
    await this.#act(`test:${connection.id}`, async () => {
      const after = await api.connections.test(connection.id);
      if (after.status === 'connected') tellDone(`${after.name} answers.`);
      else throw new Error(after.errorMessage ?? `${after.name} does not answer as it should.`);
    });
  }

  async disconnect(connection: ConnectionSummary): Promise<boolean> {
    return this.#act(`disconnect:${connection.id}`, async () => {
      await api.connections.disconnect(connection.id);
      tellDone(`${connection.name} is disconnected.`);
    });
  }

  async #act(name: string, act: () => Promise<void>): Promise<boolean> {
    this.busy = name;
    try {
      await act();
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    } finally {
      this.busy = undefined;
      this.#changed();
    }
  }
}

/** What a consent page sent along: that it worked, or why not. */
export function readReturn(query: Pick<URLSearchParams, 'get'>): {
  readonly connected?: string;
  readonly problem?: Problem;
} {
  const connected = query.get('connected');
  if (connected) return { connected };
  const code = query.get('connect_error');
  if (!code) return {};
  return {
    problem: local({
      code,
      title: 'Not connected',
      detail: query.get('connect_message') ?? 'Connecting did not work.',
      fix: 'Nothing was changed. Try connecting again.',
    }),
  };
}
