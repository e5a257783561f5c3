import type { FlowDocument } from '@plumbline/workflows/flow';
import type { ConnectionSummary } from './connections.ts';

export interface TemplateSummary {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly outcome: string;
  readonly category: string;
  readonly connectors: readonly string[];
  readonly installedAs: readonly { readonly flowId: string; readonly name: string }[];
}

export interface TemplateDetail extends TemplateSummary {
  readonly description: string;
  /** What it does, step by step, in plain words. */
  readonly steps: readonly string[];
  readonly document: FlowDocument;
  readonly connections: readonly {
    readonly slot: string;
    readonly connector: string;
    readonly title: string;
    readonly candidates: readonly ConnectionSummary[];
  }[];
  readonly params: readonly {
    readonly id: string;
    readonly title: string;
    readonly description?: string;
    readonly type: 'text' | 'number' | 'boolean' | 'choice';
    readonly optionsFrom?: { readonly connection: string; readonly name: string };
    readonly value: unknown;
    readonly required: boolean;
  }[];
}

/** POST /api/templates/:slug/install */
export interface InstallRequest {
  readonly name?: string;
  readonly connections: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly turnOn: boolean;
}
