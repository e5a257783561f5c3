import type { RunSummary } from './runs.ts';

export interface EntityInfo {
  readonly id: string;
  readonly title: string;
  readonly plural: string;
  readonly count: number;
  readonly columns: readonly {
    readonly field: string;
    readonly title: string;
    readonly kind: 'text' | 'money' | 'date' | 'status';
  }[];
  readonly statuses: readonly string[];
}

export interface RecordRow {
  readonly id: string;
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly updatedAt: string;
}

export interface RecordDetail extends RecordRow {
  readonly entity: string;
  readonly links: readonly {
    readonly connector: string;
    readonly connectionName: string;
    readonly remoteType: string;
    readonly remoteId: string;
    /** Sandbox page that shows the vendor's object. */
    readonly url: string | null;
  }[];
  readonly changes: readonly { readonly change: string; readonly actor: string | null; readonly at: string }[];
  readonly runs: readonly RunSummary[];
}
