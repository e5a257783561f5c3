import type { Catalog } from '@plumbline/nodes';
import type { StepDecision } from '@plumbline/workflows/client';
import {
  checkValue,
  findNodeType,
  literalsOf,
  type CatalogInfo,
  type Finding,
  type Plan,
} from '@plumbline/workflows/flow';
import { ApiError } from '../problem.ts';
import { unmask } from './mask.ts';

/** What somebody decided, as it came in: an input still masked where its secrets were left alone. */
export type GivenDecision =
  | Exclude<StepDecision, { readonly action: 'retry' }>
  | {
      readonly action: 'retry';
      readonly input?: Readonly<Record<string, unknown>>;
      /** Laid over the step's own input; the rest of it stays. */
      readonly patch?: Readonly<Record<string, unknown>>;
    };

/** The step a decision is about: what its plan says, and what its last attempt was given. */
export interface DecidedStep {
  readonly nodeId: string;
  readonly input: unknown;
  readonly plan: Plan;
}

/**
 * Looks at a decision before the run hears of it, so that nothing is accepted that the step must refuse.
 * @throws ApiError `invalid_input`, with every problem of an edited input as findings; or with the field of it that is still masked.
 */
export function checkDecision(
  { catalog, info }: { readonly catalog: Catalog; readonly info: CatalogInfo },
  { nodeId, input, plan }: DecidedStep,
  given: GivenDecision,
): StepDecision {
  const step = plan.steps[nodeId];
  const name = step?.name ?? nodeId;
  const byErrorWay = given.action === 'error_port' || (given.action === 'skip' && given.port === 'error');
  if (byErrorWay) {
    if (plan.graph.edges.some(({ from, port }) => from === nodeId && port === 'error')) return given;
    throw new ApiError('invalid_input', `The flow has drawn no way for errors from "${name}".`, {
      path: given.action === 'skip' ? 'port' : 'action',
      fix: 'Retry, skip or stop here; or draw that way, publish, and run it again with the new version.',
    });
  }
  const type = step && catalog.nodeTypes.get(`${step.type}@${step.version}`);
  if (given.action === 'skip') {
    if (given.port === undefined || !type) return given;
    const ports =
      typeof type.ports === 'function'
        ? type.ports((input ?? literalsOf(plan.steps[nodeId]?.inputs ?? {})) as Record<string, unknown>)
        : type.ports;
    if (ports.some(({ id }) => id === given.port)) return given;
    throw new ApiError('invalid_input', `"${name}" has no way out called "${given.port}".`, {
      path: 'port',
      fix: `Choose one of these: ${ports.map(({ id }) => id).join(', ')}.`,
    });
  }
  if (given.action !== 'retry') return given;
  if (!given.input && !given.patch) return { action: 'retry' };
  if (type?.control && hasBegun(input))
    throw new ApiError('invalid_input', `"${name}" is under way, and goes on with what it began with.`, {
      path: given.input ? 'input' : 'patch',
      fix: 'Edit the input of the step in it that failed; or retry as it is; or stop the run and run it again from here.',
    });
  if (!step || !type)
    throw new ApiError('invalid_input', `"${name}" takes no edited input here: its step type is not installed.`, {
      path: 'input',
      fix: 'Retry it as it is, or skip it.',
    });
  const before = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  const edited = given.input ? unmask(given.input, before) : { ...before, ...unmask(given.patch ?? {}, before) };
  const findings = findingsOf(info, { nodeId, name, type: step.type, version: step.version }, edited);
  const parsed = type.input.safeParse(edited);
  if (findings.length === 0 && !parsed.success)
    findings.push(
      ...parsed.error.issues.slice(0, 50).map((issue): Finding => ({
        ...{ code: 'type_mismatch', severity: 'error', nodeId },
        ...(issue.path[0] === undefined ? {} : { field: String(issue.path[0]) }),
        message: `${issue.path.join('.') || 'The input'}: ${issue.message}.`,
        fix: 'Correct it there.',
      })),
    );
  const [first] = findings;
  if (first)
    throw new ApiError(
      'invalid_input',
      `"${name}" would refuse this input. ${first.message}${findings.length > 1 ? ` And ${findings.length - 1} more.` : ''}`,
      { path: `input${first.field ? `.${first.field}` : ''}`, fix: 'Correct it and retry.', findings },
    );
  return { action: 'retry', input: edited as Record<string, unknown> };
}

/** Whether a loop came to its turns: it then keeps how many there are. */
function hasBegun(input: unknown): boolean {
  return (input as { readonly count?: unknown } | null)?.count !== undefined;
}

function findingsOf(
  info: CatalogInfo,
  step: { readonly nodeId: string; readonly name: string; readonly type: string; readonly version: number },
  edited: unknown,
): Finding[] {
  const known = findNodeType(info, step.type, step.version);
  return checkValue(edited, known?.input ?? {}).map(({ field, code, message }) => ({
    ...{ code, severity: 'error', nodeId: step.nodeId, message },
    ...(field ? { field } : {}),
    fix: 'Correct it there.',
  }));
}
