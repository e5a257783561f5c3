import type { Choice, InstallRequest, Problem, TemplateDetail } from '@plumbline/engine/contract';
import { goto } from '$app/navigation';
import { api } from '../api/client.ts';
import { asProblem, local } from '../api/problem.ts';
import { links } from '../links.ts';
import { tellDone } from '../tell.ts';

export type InstallStep = 1 | 2 | 3;
type Param = TemplateDetail['params'][number];

interface Kept {
  readonly step: InstallStep;
  readonly name: string;
  readonly connections: Record<string, string>;
  readonly params: Record<string, unknown>;
}

/** Choices of one setting, as they come from the app. */
export interface LoadedChoices {
  readonly loading: boolean;
  readonly choices: readonly Choice[];
  readonly problem?: Problem;
}

/** Installing a template: what is chosen so far survives a trip to a vendor's sign-in page and back. */
export class Install {
  readonly template: TemplateDetail;
  step = $state<InstallStep>(1);
  name = $state('');
  connections = $state<Record<string, string>>({});
  params = $state<Record<string, unknown>>({});
  problem = $state.raw<Problem>();
  busy = $state<string>();
  choices = $state.raw<Readonly<Record<string, LoadedChoices>>>({});

  constructor(template: TemplateDetail, back: Pick<URLSearchParams, 'get'>) {
    this.template = template;
    const kept = this.#kept();
    this.name = kept?.name ?? template.title;
    this.step = kept?.step ?? 1;
    this.params = Object.fromEntries(template.params.map((param) => [param.id, kept?.params[param.id] ?? param.value]));
    this.connections = Object.fromEntries(
      template.connections.flatMap(({ slot, candidates }) => {
        const before = candidates.find((candidate) => candidate.id === kept?.connections[slot]);
        const ready = candidates.find((candidate) => candidate.status === 'connected');
        const chosen = before ?? ready;
        return chosen ? [[slot, chosen.id]] : [];
      }),
    );
    this.#arrive(back);
  }

  readonly connected = $derived.by(() => this.template.connections.every(({ slot }) => this.connections[slot]));
  readonly missing = $derived.by(() =>
    this.template.params.filter((param) => param.required && isEmpty(this.params[param.id])),
  );
  readonly complete = $derived.by(() => this.connected && this.missing.length === 0 && this.name.trim() !== '');

  /** Goes to a step and, at the settings, asks the apps for their choices. */
  go(step: InstallStep): void {
    this.step = step;
    this.#keep();
    if (step === 2) void this.loadChoices();
  }

  /** Leaves for the vendor's (or the sandbox's) consent page. */
  async connect(slot: string, environment: 'sandbox' | 'live'): Promise<void> {
    const connector = this.template.connections.find((candidate) => candidate.slot === slot)?.connector;
    if (!connector) return;
    this.busy = `${slot}:${environment}`;
    this.problem = undefined;
    this.#keep();
    try {
      const returnTo = `${links.template(this.template.slug)}?slot=${encodeURIComponent(slot)}`;
      const { url } = await api.connections.authorize({ connector, environment, returnTo });
      window.location.assign(url);
    } catch (error) {
      this.problem = asProblem(error);
      this.busy = undefined;
    }
  }

  async loadChoices(): Promise<void> {
    await Promise.all(this.template.params.map((param) => this.#loadChoicesOf(param)));
  }

  async install(turnOn: boolean): Promise<void> {
    this.busy = turnOn ? 'on' : 'draft';
    this.problem = undefined;
    const request: InstallRequest = {
      name: this.name.trim(),
      connections: { ...this.connections },
      params: Object.fromEntries(Object.entries(this.params).filter(([, value]) => !isEmpty(value))),
      turnOn,
    };
    try {
      const flow = await api.templates.install(this.template.slug, request);
      sessionStorage.removeItem(this.#key);
      tellDone(turnOn ? `“${flow.name}” is on.` : `“${flow.name}” is installed as a draft.`);
      void goto(links.flow(flow.id));
    } catch (error) {
      this.problem = asProblem(error);
      this.busy = undefined;
    }
  }

  async #loadChoicesOf(param: Param): Promise<void> {
    const from = param.optionsFrom;
    const connection = from && this.connections[from.connection];
    if (!from || !connection) return;
    const put = (state: LoadedChoices): void => {
      this.choices = { ...this.choices, [param.id]: state };
    };
    put({ loading: true, choices: this.choices[param.id]?.choices ?? [] });
    try {
      const choices = await api.connections.options(connection, from.name);
      put({ loading: false, choices });
      // With one thing to choose from there is nothing to ask.
      if (choices.length === 1 && isEmpty(this.params[param.id])) this.params[param.id] = choices[0]?.value;
    } catch (error) {
      put({ loading: false, choices: [], problem: asProblem(error) });
    }
  }

  get #key(): string {
    return `plumbline.install.${this.template.slug}`;
  }

  #keep(): void {
    const kept: Kept = {
      step: this.step,
      name: this.name,
      connections: { ...this.connections },
      params: { ...this.params },
    };
    sessionStorage.setItem(this.#key, JSON.stringify(kept));
  }

  #kept(): Kept | undefined {
    try {
      return (JSON.parse(sessionStorage.getItem(this.#key) ?? 'null') as Kept | null) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** Reads what the consent page sent along. */
  #arrive(back: Pick<URLSearchParams, 'get'>): void {
    const slot = back.get('slot');
    const connected = back.get('connected');
    if (slot && connected && this.template.connections.some((candidate) => candidate.slot === slot)) {
      this.connections[slot] = connected;
      this.step = 1;
      this.#keep();
    }
    const code = back.get('connect_error');
    if (code) {
      this.step = 1;
      this.problem = local({
        code,
        title: 'Not connected',
        detail: back.get('connect_message') ?? 'Connecting did not work.',
        fix: 'Nothing was changed. Try connecting again.',
      });
    }
    if (this.step === 2) void this.loadChoices();
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}
