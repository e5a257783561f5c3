import type { StepAttempt, StepDetail } from '@plumbline/engine/contract';
import { duration } from '../format.ts';

/** A stretch of a step's bar. */
export interface Segment {
  /** `queue`: its turn had come, and it was not begun; `wait`: for its next try, its time, or a person. */
  readonly kind: 'queue' | 'attempt' | 'wait';
  readonly tone: 'ok' | 'bad' | 'busy' | 'warn' | 'idle';
  /** In milliseconds of the clock. */
  readonly from: number;
  readonly until: number;
  readonly title: string;
}

interface Span {
  readonly readyAt: number;
  readonly now: number;
  readonly waits?: boolean;
}

/**
 * What a step did when: `readyAt` is when what it waits for was done, `now` ends what still goes on; `waits` is said of a step whose work is to wait.
 */
export function segmentsOf(step: StepDetail, { readyAt, now, waits = false }: Span): readonly Segment[] {
  const started = Date.parse(step.startedAt);
  const ended = step.finishedAt === null ? now : Date.parse(step.finishedAt);
  const segments: Segment[] = [];
  if (started > readyAt && !step.carried)
    segments.push({
      ...{ kind: 'queue', tone: 'idle', from: readyAt, until: started },
      title: `Its turn came ${duration(started - readyAt)} before it began`,
    });
  let at = started;
  for (const record of step.attempts) {
    const from = Date.parse(record.startedAt);
    if (from > at) segments.push(waiting(at, from, step));
    at = Date.parse(record.endedAt);
    segments.push(attempted(record, from, at));
  }
  const last = step.attempts.at(-1);
  // The attempt that succeeded is on record too when it came after others.
  if (last && last.kind === undefined) return segments;
  if (step.status === 'waiting' || step.status === 'parked' || waits) segments.push(waiting(at, ended, step));
  else if (!last) segments.push(going(step, at, ended));
  else if (step.status === 'running') {
    const due = Math.max(at, Math.min(Date.parse(last.nextAt ?? '') || at, ended));
    if (due > at) segments.push(waiting(at, due, step));
    segments.push(going(step, due, ended));
  } else if (ended > at) segments.push(waiting(at, ended, { status: 'parked' })); // nobody tried again: a person decided
  return segments;
}

const tones: Readonly<Record<string, Segment['tone']>> = { succeeded: 'ok', failed: 'bad', running: 'busy' };

function going(step: StepDetail, from: number, until: number): Segment {
  const title = step.status === 'running' ? `Attempt ${step.attempt} is under way` : duration(until - from);
  return { kind: 'attempt', tone: tones[step.status] ?? 'idle', from, until, title };
}

function waiting(from: number, until: number, { status }: Pick<StepDetail, 'status'>): Segment {
  const whom = status === 'parked' ? 'a person' : 'its time';
  return { kind: 'wait', tone: 'warn', from, until, title: `Waited ${duration(until - from)} for ${whom}` };
}

function attempted({ attempt, kind, message }: StepAttempt, from: number, until: number): Segment {
  return {
    ...{ kind: 'attempt', tone: kind === undefined ? 'ok' : 'bad', from, until },
    title: `Attempt ${attempt}, ${duration(until - from)}${message ? `: ${message}` : ''}`,
  };
}
