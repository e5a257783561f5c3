import type { RunDetail } from '@plumbline/engine/contract';

/** Everything by which this run is called elsewhere: in logs, in Temporal, at vendors. */
export function idsOf(run: RunDetail): Readonly<Record<string, string>> {
  const requests = run.steps.flatMap(({ name, error }) =>
    error?.requestId ? [[`Request of ${name}`, error.requestId]] : [],
  );
  return {
    Run: run.id,
    Flow: `${run.flowId}, version ${run.flowVersion}`,
    ...(run.event ? { Event: run.event.id } : {}),
    Carrier: `${run.carrierId}, place ${run.lane}`,
    ...(Object.fromEntries(requests) as Record<string, string>),
  };
}
