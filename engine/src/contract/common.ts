import type { Finding } from '@plumbline/workflows/flow';

/** What an error says: `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What the reader can do, when there is something. */
  readonly fix?: string;
  /** Where in the input, e.g. `nodes.create_bill.inputs.lines`. */
  readonly path?: string;
  readonly findings?: readonly Finding[];
  readonly request_id: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
  readonly total?: number;
}

export type Role = 'owner' | 'admin' | 'builder' | 'viewer';

export interface Me {
  readonly user: { readonly id: string; readonly name: string; readonly email: string };
  readonly company: {
    readonly id: string;
    readonly name: string;
    readonly slug: string;
    readonly timeZone: string;
    readonly currency: string;
  };
  readonly role: Role;
  readonly companies: readonly { readonly id: string; readonly name: string; readonly role: Role }[];
}

/** GET /api/session, without a session: what the sign-in page may offer. */
export interface SignInOptions {
  readonly demo: boolean;
  /** Whether this browser has a session, so that nobody has to ask for `/api/me` in vain. */
  readonly signedIn: boolean;
}

export interface Notice {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly runId: string | null;
  /** The task it is about. */
  readonly taskId: string | null;
  /** Whether whoever asks has seen it, as it was told last. */
  readonly seen: boolean;
  /** Since when what it tells of is over. */
  readonly overAt: string | null;
  readonly createdAt: string;
}
