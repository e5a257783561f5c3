import type { NodeType } from '@plumbline/nodes';
import { z } from 'zod';
import type { JsonSchema } from '../flow/catalog.ts';
import type { PlanStep } from '../flow/plan.ts';
import { sampleOf } from '../flow/sample.ts';
import type { Dependencies } from './dependencies.ts';
import { effectOf, isWrite } from './effects.ts';
import { firstPort } from './first-port.ts';
import type { Lane } from './lane.ts';

/** What a step hands on without being carried out. */
export interface Simulated {
  readonly output: unknown;
  readonly port: string;
}

/**
 * What stands in for a step while its drawing is tried out, if anything does: what is pinned; and where carrying it out would write to a live account, make
 * somebody wait, or start another flow, a made-up answer of the right shape. Writes go through where the account is a sandbox.
 */
export async function simulate(
  deps: Dependencies,
  lane: Lane,
  work: {
    readonly companyId: string;
    readonly nodeId: string;
    readonly step: PlanStep;
    readonly type: NodeType;
    readonly mapped: Readonly<Record<string, unknown>>;
    /** It is undone: of what was pinned nothing was written, so nothing is taken back. */
    readonly undoes?: boolean;
  },
): Promise<Simulated | undefined> {
  const { companyId, nodeId, step, type, mapped } = work;
  const pin = lane.test?.pins[nodeId];
  if (pin && lane.test?.only !== nodeId) return work.undoes ? { output: made(type), port: 'out' } : pin;
  if (type.control) return undefined;
  if (type.wait) return { output: type.wait.resume(mapped as never, deps.now()), port: 'out' };
  const port = firstPort(type, step);
  if (type.hold) return { output: made(type), port };
  if (!isWrite(effectOf(type, mapped))) return undefined;
  if (step.connectionId && (await isSandbox(deps, companyId, step.connectionId))) return undefined;
  return { output: made(type), port };
}

function made(type: NodeType): unknown {
  const schema = z.toJSONSchema(type.output, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
  return sampleOf(schema, 'value');
}

async function isSandbox(deps: Dependencies, companyId: string, connectionId: string): Promise<boolean> {
  const row = await deps.store.tenant(companyId, (tx) =>
    tx
      .selectFrom('integrations')
      .select('environment')
      .where('company_id', '=', companyId)
      .where('id', '=', connectionId)
      .executeTakeFirst(),
  );
  return row?.environment === 'sandbox';
}
