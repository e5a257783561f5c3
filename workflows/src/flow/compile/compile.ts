import type { CatalogInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import type { Plan, PlanEdge, PlanNode, PlanStep } from '../plan.ts';
import { scheduleProblem } from '../schedule.ts';
import { flowDocumentSchema, limits, type FlowDocument, type FlowNode } from '../schema.ts';
import { checkApproval } from './approvals.ts';
import { checkCall } from './calls.ts';
import { checkLock } from './locks.ts';
import { defaultPolicy, isScope } from './scopes.ts';
import { checkMappings } from './mappings.ts';
import { checkStructure, type Structure } from './structure.ts';
import { checkLookup } from './value-maps.ts';

export interface Compiled {
  readonly findings: readonly Finding[];
  /** Present when no finding is an error. */
  readonly plan?: Plan;
}

/** Reads a document from outside: a draft, an import, a template. */
export function parseFlow(
  input: unknown,
): { readonly document: FlowDocument } | { readonly findings: readonly Finding[] } {
  let parsed: ReturnType<typeof flowDocumentSchema.safeParse>;
  try {
    parsed = flowDocumentSchema.safeParse(input);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return {
      findings: [
        {
          code: 'flow_invalid',
          severity: 'error',
          message: 'The flow holds a value that is nested too deeply.',
          fix: 'Flatten that value, or compute it in a step.',
        },
      ],
    };
  }
  if (parsed.success) return { document: parsed.data };
  return {
    findings: parsed.error.issues.slice(0, 100).map((issue) => ({
      code: 'flow_invalid',
      severity: 'error',
      ...(issue.path[0] === 'nodes' && typeof issue.path[1] === 'string' ? { nodeId: issue.path[1] } : {}),
      message: `${issue.path.join('.') || 'The flow'}: ${issue.message}.`,
      fix: 'Correct the document at that place.',
    })),
  };
}

/**
 * Turns a drawing into a plan: structure → types → connections → lower. Pure, so that the studio runs it on every change and the
 * engine trusts only its own run of it. The plan is there only when nothing is wrong; warnings do not stop it.
 */
export function compile(document: FlowDocument, catalog: CatalogInfo): Compiled {
  const tooLarge = checkSize(document);
  if (tooLarge) return { findings: [tooLarge] };
  const structure = checkStructure(document, catalog);
  const findings: Finding[] = [...structure.findings];
  const steps: Record<string, PlanStep> = {};
  const params = new Set<string>();
  for (const nodeId of Object.keys(document.nodes).sort()) {
    const node = document.nodes[nodeId] as FlowNode;
    const mapped = checkMappings(document, structure, nodeId);
    const connectionId = checkConnection(document, structure, nodeId, findings);
    findings.push(...mapped.findings);
    findings.push(...checkSchedule(structure, nodeId, node));
    findings.push(...checkAnswer(document, structure, nodeId));
    findings.push(...checkApproval(document, nodeId));
    findings.push(...checkLock(document, structure, nodeId));
    findings.push(...checkLookup(document, catalog, nodeId));
    findings.push(...checkCall(document, catalog, structure, nodeId));
    mapped.params.forEach((id) => params.add(id));
    steps[nodeId] = {
      type: node.type,
      version: node.version,
      name: node.name,
      ...(connectionId ? { connectionId } : {}),
      inputs: mapped.mappings,
    };
  }
  checkParams(document, params, findings);
  if (findings.some((finding) => finding.severity === 'error')) return { findings };
  return { findings, plan: lower(document, structure, steps) };
}

/** Times are read by us and not by a step, so they must be given, and be times. */
function checkSchedule(structure: Structure, nodeId: string, node: FlowNode): Finding[] {
  if (structure.types.get(nodeId)?.trigger !== 'schedule') return [];
  const { cron, timeZone } = node.inputs;
  const problem =
    cron?.kind === 'expression'
      ? { message: 'The times cannot be computed.', fix: 'Write them down, such as "0 7 * * 1-5".' }
      : cron && typeof cron.value === 'string' && cron.value !== ''
        ? scheduleProblem(
            cron.value,
            timeZone?.kind === 'literal' && timeZone.value ? String(timeZone.value) : undefined,
          )
        : undefined;
  if (!problem) return [];
  return [{ code: 'schedule_invalid', severity: 'error', nodeId, field: 'cron', ...problem }];
}

/** A webhook that is to be answered by the flow, in which nothing answers, only makes its sender wait. */
function checkAnswer(document: FlowDocument, structure: Structure, nodeId: string): Finding[] {
  const node = document.nodes[nodeId];
  const answer = node?.inputs['answer'];
  if (structure.types.get(nodeId)?.trigger !== 'webhook' || answer?.kind !== 'literal' || answer.value !== 'flow')
    return [];
  // A flow that is called may answer in its place.
  if (Object.values(document.nodes).some(({ type }) => type === 'core.respond' || type === 'core.call-flow')) return [];
  return [
    {
      code: 'answer_missing',
      severity: 'warning',
      nodeId,
      field: 'answer',
      message: `"${node?.name}" answers when the flow responds, and no step of it does.`,
      fix: 'Add the step "Answer the webhook", or answer at once.',
    },
  ];
}

function checkSize(document: FlowDocument): Finding | undefined {
  const nodes = Object.values(document.nodes);
  const mappings = nodes.reduce((sum, node) => sum + Object.keys(node.inputs).length, 0);
  if (nodes.length <= limits.nodes && document.edges.length <= limits.edges && mappings <= limits.mappings)
    return undefined;
  return {
    code: 'flow_too_large',
    severity: 'error',
    message: `This flow has ${nodes.length} steps, ${document.edges.length} connections and ${mappings} mapped fields; at most ${limits.nodes}, ${limits.edges} and ${limits.mappings} are possible.`,
    fix: 'Split it into several flows.',
  };
}

function checkConnection(
  document: FlowDocument,
  structure: Structure,
  nodeId: string,
  findings: Finding[],
): string | undefined {
  const node = document.nodes[nodeId];
  const connector = structure.types.get(nodeId)?.connector;
  if (!node || !connector) return undefined;
  const slot = node.connection === undefined ? undefined : document.connections[node.connection];
  if (!slot?.id) {
    findings.push({
      code: 'connection_missing',
      severity: 'error',
      nodeId,
      field: 'connection',
      message: `"${node.name}" has no connection.`,
      fix: 'Choose the account it works with, or connect one.',
    });
    return undefined;
  }
  if (slot.connector !== connector) {
    findings.push({
      code: 'connection_mismatch',
      severity: 'error',
      nodeId,
      field: 'connection',
      message: `"${node.name}" cannot work with a ${slot.connector} connection.`,
      fix: `Choose a ${connector} connection.`,
    });
    return undefined;
  }
  return slot.id;
}

function checkParams(document: FlowDocument, used: ReadonlySet<string>, findings: Finding[]): void {
  for (const [id, param] of Object.entries(document.params)) {
    if ((param.value === null || param.value === '') && (used.has(id) || used.has('*')))
      findings.push({
        code: 'param_missing',
        severity: 'error',
        field: `params.${id}`,
        message: `The setting "${param.title}" is empty.`,
        fix: `Choose ${param.title} in the flow's settings.`,
      });
  }
}

function lower(document: FlowDocument, structure: Structure, steps: Readonly<Record<string, PlanStep>>): Plan {
  const nodes: PlanNode[] = structure.order.map((id) => {
    const node = document.nodes[id] as FlowNode;
    const control = structure.types.get(id)?.control;
    return {
      id,
      kind: structure.types.get(id)?.kind ?? 'action',
      join: node.join ?? { mode: 'any' },
      retry: node.retry ?? { attempts: 5, initialSeconds: 2 },
      onError: policyOf(document, structure, id),
      disabled: node.disabled ?? false,
      ...(node.parent === undefined ? {} : { parent: node.parent }),
      ...(control ? { control } : {}),
    };
  });
  const edges = document.edges
    .map(({ from, port, to }) => ({ from, port, to }))
    .sort((a, b) => (edgeKey(a) < edgeKey(b) ? -1 : 1));
  const params = Object.fromEntries(Object.entries(document.params).map(([id, param]) => [id, param.value]));
  return { format: 1, engine: 'jsonata@2.2.2', graph: { nodes, edges }, steps, params };
}

/** What becomes of a failure. */
function policyOf(document: FlowDocument, { types, handled }: Structure, nodeId: string): PlanNode['onError'] {
  const { onError } = document.nodes[nodeId] as FlowNode;
  const scope = isScope(types.get(nodeId));
  if (scope && handled.has(nodeId)) return 'port';
  return (scope && onError === 'port' ? undefined : onError) ?? defaultPolicy(document, types, nodeId);
}

/** Compared by code unit: a language's order may differ between machines, and the hash with it. */
function edgeKey({ from, port, to }: PlanEdge): string {
  return `${from}\n${port}\n${to}`;
}
