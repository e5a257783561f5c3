import type { DispatcherStore } from '@plumbline/db';
import type { Connections } from '@plumbline/workflows/activities/connections';
import type { Carriers } from '@plumbline/workflows/client';
import type { OpenDependencies } from '@plumbline/workflows/dependencies';
import type { CatalogInfo } from '@plumbline/workflows/flow';
import type { Pool } from 'pg';
import type { Auth } from './auth/auth.ts';
import type { Answers } from './ingress/answers.ts';
import type { EventInbox } from './ingress/event-inbox.ts';
import type { Refusals } from './ingress/refusals.ts';
import type { LiveHub } from './live/hub.ts';
import type { EngineSettings } from './settings.ts';
import type { TemplateLibrary } from './templates.ts';

/** What the routes work with. One per process. */
export interface Services {
  readonly settings: EngineSettings;
  readonly deps: OpenDependencies;
  readonly info: CatalogInfo;
  readonly auth: Auth;
  readonly authPool: Pool;
  readonly carriers: Carriers;
  readonly connections: Connections;
  readonly dispatcher: DispatcherStore;
  readonly live: LiveHub;
  /** Stores what happened; the dispatcher comes for it. */
  readonly inbox: EventInbox;
  /** Lines held open for what flows answer. */
  readonly answers: Answers;
  readonly refusals: Refusals;
  readonly templates: TemplateLibrary;
}
