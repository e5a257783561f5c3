import { listen, literal, type Store } from '@plumbline/db';

/** What a flow answers the sender of its event. */
export interface FlowAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for no body, text as it is, anything else as JSON. */
  readonly body: unknown;
}

/** What became of an event, for the one who sent it. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: FlowAnswer }
  /** No answer will come: the run ended without one, waits for a person, or never was. */
  | { readonly kind: 'silent'; readonly runId: string | null; readonly status: string }
  /** None has come yet. */
  | { readonly kind: 'open'; readonly runId: string | null };

/** How often it looks without being told, in case a notice was lost. */
const LOOK_MS = 1_000;

/**
 * Holds lines open for the answers of flows. The answer is a row, and the database tells every API process of it: whichever one the sender reached hears of
 * what any worker wrote.
 */
export class Answers {
  readonly #databaseUrl: string;
  readonly #store: Store;
  readonly #waiting = new Map<string, Set<() => void>>();
  #listening: Promise<() => Promise<void>> | undefined;

  constructor(databaseUrl: string, store: Store) {
    this.#databaseUrl = databaseUrl;
    this.#store = store;
  }

  /** Resolves as soon as the event's outcome is known, and with `open` when the time is over. */
  async wait(companyId: string, eventId: string, withinMs: number): Promise<Outcome> {
    const deadline = performance.now() + withinMs;
    this.#listening ??= listen(this.#databaseUrl, 'plumbline_answers', (id) => this.#wake(id));
    await this.#listening;
    for (;;) {
      // Told before it looks is as good as told after.
      const { told, forget } = this.#tell(eventId);
      try {
        const outcome = await this.read(companyId, eventId);
        const left = deadline - performance.now();
        if (outcome.kind !== 'open' || left <= 0) return outcome;
        await told(Math.min(left, LOOK_MS));
      } finally {
        forget();
      }
    }
  }

  /** Where the event stands now. */
  async read(companyId: string, eventId: string): Promise<Outcome> {
    const where = `company_id = ${literal(companyId)}`;
    // Each statement sees what is committed when it begins: the answer, which is there before its run has ended, is looked for after that.
    const [runs = [], events = [], answers = []] = await this.#store.script(companyId, [
      `select id, status, finished_at from runs where ${where} and event_id = ${literal(eventId)} and rerun_of is null`,
      `select status from events where ${where} and id = ${literal(eventId)}`,
      `select status, headers, body from answers where ${where} and event_id = ${literal(eventId)}`,
    ]);
    const [answer] = answers;
    if (answer) return { kind: 'answered', answer: answer as unknown as FlowAnswer };
    const [run] = runs;
    const runId = run ? String(run['id']) : null;
    if (run && (run['finished_at'] !== null || run['status'] === 'parked'))
      return { kind: 'silent', runId, status: String(run['status']) };
    const status = events[0]?.['status'];
    if (status === 'ignored' || status === 'dropped') return { kind: 'silent', runId, status };
    return { kind: 'open', runId };
  }

  /** The id of an event that was there already. */
  async eventId(companyId: string, key: string, dedupeKey: string): Promise<string | undefined> {
    const [rows = []] = await this.#store.script(companyId, [
      `select id from events where company_id = ${literal(companyId)} and key = ${literal(key)} and dedupe_key = ${literal(dedupeKey)}`,
    ]);
    return rows[0] && String(rows[0]['id']);
  }

  async close(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await (
      await listening
    )?.();
  }

  #tell(eventId: string): { readonly told: (withinMs: number) => Promise<void>; readonly forget: () => void } {
    const waiters = this.#waiting.get(eventId) ?? new Set();
    this.#waiting.set(eventId, waiters);
    let resolve = (): void => undefined;
    const promise = new Promise<void>((done) => (resolve = done));
    waiters.add(resolve);
    return {
      told: async (withinMs) => {
        const timer = setTimeout(resolve, withinMs);
        await promise;
        clearTimeout(timer);
      },
      forget: () => {
        waiters.delete(resolve);
        if (waiters.size === 0) this.#waiting.delete(eventId);
      },
    };
  }

  #wake(eventId: string): void {
    for (const wake of this.#waiting.get(eventId) ?? []) wake();
  }
}
