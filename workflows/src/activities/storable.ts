import { json } from '@plumbline/db';
import { StepError } from './classify.ts';

/** What a step may be given, and what it may hand on, in MB. The database takes a little more than two hundred in one value. */
const STORED_MAX_MB = 16;
/** The same in characters of JSON. */
export const STORED_MAX = STORED_MAX_MB * 1_048_576;

/**
 * What cannot be stored is its step's failure, and not that of everything that is written with it.
 * @param name of the step, as people know it
 * @throws StepError `input_too_large`, `output_too_large`; DataError `unsupported_character`
 */
export function checkStorable(name: string, what: 'input' | 'output', value: unknown): void {
  if (lengthOf(value) > STORED_MAX) throw tooLarge(name, what);
}

/** @throws StepError */
export function tooLarge(name: string, what: 'input' | 'output'): StepError {
  return new StepError({
    kind: 'invalid',
    code: `${what}_too_large`,
    message: `What "${name}" ${what === 'input' ? 'gets' : 'hands on'} is larger than ${STORED_MAX_MB} MB.`,
    fix: 'Take only the fields that are needed, or work on it in parts; then publish, and run it again.',
  });
}

/** Whether it can be stored as it is. */
export function isStorable(value: unknown): boolean {
  try {
    return lengthOf(value) <= STORED_MAX;
  } catch {
    return false;
  }
}

function lengthOf(value: unknown): number {
  try {
    return json(value).length;
  } catch (error) {
    // Longer than any text can be.
    if (error instanceof RangeError) return Infinity;
    throw error;
  }
}
