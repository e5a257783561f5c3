import type { DraftSaved } from '@plumbline/engine/contract';
import type { FlowDocument } from '@plumbline/workflows/flow';

/** What is kept of a flow while it is drawn. */
export interface Draft {
  readonly name: string;
  readonly document: FlowDocument;
}

export type SaveState =
  | { readonly kind: 'saved'; readonly at: number | null }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'saving' }
  /** Not kept on the server; tried again by itself when `retries`. */
  | { readonly kind: 'failed'; readonly message: string; readonly retries: boolean }
  /** Somebody else saved meanwhile; a person decides. */
  | { readonly kind: 'conflict'; readonly message: string };

/** What a refused save was refused for. */
export interface SaveRefusal {
  readonly code: string;
  readonly message: string;
  /** Worth trying again as it is: the network, or the server being down. */
  readonly passing: boolean;
}

export interface AutosaveParts {
  readonly revision: number;
  readonly read: () => Draft;
  readonly write: (revision: number, draft: Draft) => Promise<DraftSaved>;
  readonly refusal: (error: unknown) => SaveRefusal;
  readonly onState: (state: SaveState) => void;
  /** After a save; `current` tells whether the draft is still what was saved. */
  readonly onSaved: (saved: DraftSaved, current: boolean) => void;
  readonly now: () => number;
}

export const saveDelayMs = 800;
const retryMs = [2_000, 5_000, 10_000, 30_000] as const;

/**
 * Keeps a draft on the server: 800 ms after the last change, one save at a time, the newest draft each time. A lost network is tried
 * again by itself; a revision of somebody else's stops it until `resolve` is called.
 */
export class Autosave {
  #revision: number;
  #saved: Draft;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<boolean> | undefined;
  #tries = 0;
  #blocked = false;
  #state: SaveState = { kind: 'saved', at: null };
  readonly #parts: AutosaveParts;

  constructor(parts: AutosaveParts) {
    this.#parts = parts;
    this.#revision = parts.revision;
    this.#saved = parts.read();
  }

  get revision(): number {
    return this.#revision;
  }

  /** Something is not on the server yet. */
  get dirty(): boolean {
    const draft = this.#parts.read();
    return draft.document !== this.#saved.document || draft.name !== this.#saved.name;
  }

  /** Call after every change. */
  touch(): void {
    if (this.#blocked) return;
    if (!this.dirty) {
      // Undone back to what is saved: there is nothing to do.
      if (!this.#running) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        if (this.#state.kind === 'waiting') this.#tell({ kind: 'saved', at: null });
      }
      return;
    }
    if (!this.#running) this.#tell({ kind: 'waiting' });
    this.#later(saveDelayMs);
  }

  /** Saves now. Resolves with whether everything is on the server. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // A save on its way may hold an older draft; after it, what is missing goes too.
    for (let round = 0; round < 3 && !this.#blocked && (this.#running !== undefined || this.dirty); round++)
      if (!(await (this.#running ??= this.#save()))) break;
    return !this.dirty;
  }

  /** Goes on from a revision: of theirs, when ours is to win over it, or after theirs was taken over. */
  async resolve(revision: number, takenOver?: Draft): Promise<void> {
    this.#revision = revision;
    this.#blocked = false;
    this.#tries = 0;
    if (takenOver) this.#saved = takenOver;
    if (this.dirty) await this.flush();
    else this.#tell({ kind: 'saved', at: this.#parts.now() });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#blocked = true;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, ms);
  }

  #tell(state: SaveState): void {
    this.#state = state;
    this.#parts.onState(state);
  }

  async #save(): Promise<boolean> {
    const draft = this.#parts.read();
    this.#tell({ kind: 'saving' });
    try {
      const saved = await this.#parts.write(this.#revision, draft);
      this.#revision = saved.revision;
      this.#saved = draft;
      this.#tries = 0;
      const current = !this.dirty;
      this.#tell(current ? { kind: 'saved', at: this.#parts.now() } : { kind: 'waiting' });
      this.#parts.onSaved(saved, current);
      if (!current) this.#later(saveDelayMs);
      return true;
    } catch (error) {
      const { code, message, passing } = this.#parts.refusal(error);
      if (code === 'revision_conflict') {
        this.#blocked = true;
        this.#tell({ kind: 'conflict', message });
      } else {
        this.#tell({ kind: 'failed', message, retries: passing });
        if (passing) this.#later(retryMs[Math.min(this.#tries++, retryMs.length - 1)] ?? 30_000);
      }
      return false;
    } finally {
      this.#running = undefined;
    }
  }
}
