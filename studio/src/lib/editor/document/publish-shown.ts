import type { FlowPublished } from '@plumbline/engine/contract';
import { asProblem } from '../../api/problem.ts';
import type { Autosave } from './autosave.ts';

export interface PublishParts {
  readonly autosave: Pick<Autosave, 'flush' | 'revision'>;
  readonly publish: (revision: number) => Promise<FlowPublished>;
  /** Takes over what somebody else has made of the draft, so that it is shown. */
  readonly takeTheirs: () => Promise<void>;
}

/**
 * Publishes the draft that is shown, and never what somebody else has made of it since.
 * @throws whatever publishing throws; where that was somebody else's change, it has been taken over, and can be looked at.
 */
export async function publishShown({ autosave, publish, takeTheirs }: PublishParts): Promise<FlowPublished> {
  if (!(await autosave.flush())) throw new Error('The draft could not be saved, so it was not published.');
  try {
    return await publish(autosave.revision);
  } catch (error) {
    if (asProblem(error).code === 'revision_conflict') await takeTheirs();
    throw error;
  }
}
