export interface ConnectionSummary {
  readonly id: string;
  readonly connector: string;
  readonly name: string;
  readonly environment: 'sandbox' | 'live';
  readonly status: 'connected' | 'degraded' | 'needs_reconnect' | 'paused' | 'disconnected';
  readonly account: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly errorMessage: string | null;
  readonly lastSyncAt: string | null;
  readonly tokenExpiresAt: string | null;
  readonly createdAt: string;
  readonly flows: readonly { readonly id: string; readonly name: string }[];
}

/** One card of the hub: GET /api/integrations */
export interface IntegrationCard {
  readonly connector: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly monogram: { readonly text: string; readonly color: string };
  readonly sandboxAvailable: boolean;
  readonly liveAvailable: boolean;
  readonly connections: readonly ConnectionSummary[];
}

export interface IntegrationLog {
  readonly id: string;
  readonly action: string;
  readonly direction: 'import' | 'export';
  readonly entityType: string;
  readonly entityCount: number;
  readonly status: 'succeeded' | 'failed';
  readonly externalId: string | null;
  readonly runId: string | null;
  readonly message: string | null;
  readonly createdAt: string;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}
