import type { Cells, ValueMapChanges, ValueMapColumn, ValueMapProblem, ValueMapTable } from '@plumbline/workflows/flow';
import type { FlowSummary } from './flows.ts';

export interface ValueMapSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly columns: readonly ValueMapColumn[];
  readonly rowCount: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
  /** How many flows use it. */
  readonly flows: number;
}

/** A value map with its rows, in one of its versions. */
export interface ValueMapDetail extends Omit<ValueMapSummary, 'flows'>, ValueMapTable {
  /** The newest; `version` is the one that is shown. */
  readonly latest: number;
}

/** POST /api/value-maps */
export interface ValueMapDraft extends ValueMapTable {
  readonly name: string;
  readonly description: string;
}

/** PUT /api/value-maps/:id, with the version it was read at in `If-Match: "<version>"`. */
export interface ValueMapSave extends ValueMapDraft {
  readonly note?: string;
}

export interface ValueMapVersion {
  readonly number: number;
  readonly savedBy: string;
  readonly savedAt: string;
  readonly note: string | null;
  /** The version it went back to. */
  readonly restored: number | null;
  readonly rowCount: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** GET /api/value-maps/:id/versions/:number/changes: against the version before it, or another one. */
export interface ValueMapDiff extends ValueMapChanges {
  readonly from: number;
  readonly to: number;
  readonly columns: readonly ValueMapColumn[];
}

/** POST /api/value-maps/:id/import */
export interface ValueMapImport {
  readonly csv: string;
  readonly delimiter: 'comma' | 'semicolon' | 'tab' | 'pipe';
  /** `replace`: rows that the file does not have go; `merge`: they stay. */
  readonly mode: 'replace' | 'merge';
  /** Only says what it would change. */
  readonly dryRun: boolean;
}

export interface ValueMapImported {
  /** The rows as they would stand, or do. */
  readonly rows: readonly Cells[];
  readonly changes: ValueMapChanges;
  /** Why it cannot be saved; empty when it can. Columns of the file that the value map does not have are named here too. */
  readonly problems: readonly ValueMapProblem[];
  /** Columns of the file that were left out. */
  readonly ignored: readonly string[];
  /** The version that was made; null for a dry run, or where nothing changes. */
  readonly version: number | null;
}

/** GET /api/value-maps/:id/usage: a flow whose drawing, or whose live version, looks up in it. */
export interface ValueMapUse {
  readonly flowId: string;
  readonly flowName: string;
  readonly status: FlowSummary['status'];
  readonly live: boolean;
  readonly draft: boolean;
  /** Names of the steps. */
  readonly steps: readonly string[];
}
