import type { PendingEvents } from '@plumbline/engine/contract';
import { triggerWords } from '../runs/trigger-words.ts';

/** What events of one kind are called: the flows that they start, else what they are. */
export function pendingName({ kind, key, flows }: Pick<PendingEvents, 'kind' | 'key' | 'flows'>): string {
  return flows.length > 0 ? new Intl.ListFormat('en-US').format(flows) : triggerWords(kind === 'record' ? key : kind);
}
