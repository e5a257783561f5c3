import { readApprovers } from '../approvers.ts';
import type { Finding, FindingCode } from '../finding.ts';
import type { FlowDocument } from '../schema.ts';

interface Stage {
  readonly title?: unknown;
  readonly from?: unknown;
  readonly approvers?: unknown;
  readonly need?: unknown;
  readonly count?: unknown;
  readonly times?: unknown;
  readonly escalateAfterHours?: unknown;
  readonly escalateTo?: unknown;
  readonly expiresAfterHours?: unknown;
}

/** Checks what a step asks of people, as far as it is given: who they are, that enough are named, that every amount and every way out is covered. */
export function checkApproval(document: FlowDocument, nodeId: string): Finding[] {
  const node = document.nodes[nodeId];
  if (node?.type !== 'core.approval') return [];
  const findings: Finding[] = [];
  const given = (field: string): unknown => {
    const mapping = node.inputs[field];
    return mapping?.kind === 'literal' ? mapping.value : undefined;
  };
  const say = (field: string, severity: Finding['severity'], code: FindingCode, message: string, fix: string): void => {
    findings.push({ code, severity, nodeId, field, message: `"${node.name}": ${message}`, fix });
  };
  const stages = given('stages');
  if (Array.isArray(stages)) {
    for (const [index, stage] of (stages as readonly Stage[]).entries()) checkStage(stage, index + 1, say);
    const covered = (stages as readonly Stage[]).some(
      ({ from }) => Number(from === undefined || from === '' ? 0 : from) === 0,
    );
    if (stages.length > 0 && !covered && node.inputs['amount'] !== undefined)
      say(
        'stages',
        'warning',
        'approval_amount_uncovered',
        'amounts under every stage are approved without anybody being asked.',
        'Let one stage begin at 0, if somebody must always be asked.',
      );
    if (stages.some((stage: Stage) => Number(stage.from ?? 0) > 0) && !isFilled(node.inputs['amount']))
      say(
        'amount',
        'warning',
        'approval_amount_missing',
        'its stages begin at amounts, and no amount is given, so all of them are asked.',
        'Say which amount decides, such as trigger.record.total.',
      );
  }
  const escalateTo = given('escalateTo');
  if (typeof escalateTo === 'string') checkWho(escalateTo, 'escalateTo', say);
  if (Number(given('escalateAfterHours') ?? 0) > 0 && !isFilled(node.inputs['escalateTo']))
    say(
      'escalateTo',
      'error',
      'approver_missing',
      'others are to be asked after a while, and it does not say who.',
      'Name them, or set the hours to 0.',
    );
  const timed = Array.isArray(stages) ? (stages as readonly Stage[]).filter(({ times }) => times === 'own') : [];
  for (const stage of timed) checkTimes(stage, isFilled(node.inputs['escalateTo']), say);
  const outcomes = given('outcomes');
  if (Array.isArray(outcomes)) {
    const ids = outcomes.map((outcome) => (outcome as { readonly id?: unknown } | null)?.id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined)
      say(
        'outcomes',
        'error',
        'port_duplicate',
        `two of its answers are called "${String(twice)}".`,
        'Give each a name of its own.',
      );
    const reserved = ids.find(
      (id) => typeof id === 'string' && ['approved', 'rejected', 'expired', 'error', 'out'].includes(id),
    );
    if (reserved !== undefined)
      say(
        'outcomes',
        'error',
        'port_reserved',
        `"${String(reserved)}" is there anyway and cannot be another answer.`,
        'Call it otherwise.',
      );
  }
  const form = given('form');
  if (Array.isArray(form) && form.some((field) => (field as { readonly type?: unknown } | null)?.type === 'record'))
    say(
      'form',
      'error',
      'approval_form_record',
      'whoever decides cannot choose a record in its form.',
      'Ask for text, or a choice.',
    );
  const expires = node.inputs['expiresAfterHours'];
  const mayExpire =
    timed.some((stage) => Number(stage.expiresAfterHours ?? 0) > 0) ||
    (expires?.kind === 'expression' ? expires.source.trim() !== '' : Number(expires?.value ?? 0) > 0);
  if (mayExpire && !document.edges.some(({ from, port }) => from === nodeId && port === 'expired'))
    say(
      'expiresAfterHours',
      'warning',
      'approval_expiry_undrawn',
      'it may expire, and nothing is drawn for that, so the flow then ends there.',
      'Draw a way from “Expired”, or let it wait as long as it takes.',
    );
  return findings;
}

type Say = (field: string, severity: Finding['severity'], code: FindingCode, message: string, fix: string) => void;

function checkStage({ title, approvers, need, count }: Stage, number: number, say: Say): void {
  const name = typeof title === 'string' && title !== '' ? `stage "${title}"` : `stage ${number}`;
  const text = typeof approvers === 'string' ? approvers : '';
  const known = checkWho(text, 'stages', say);
  if (!known) return;
  if (known.length === 0)
    say(
      'stages',
      'error',
      'approver_missing',
      `${name} names nobody.`,
      'Name e-mail addresses or roles (owner, admin, builder).',
    );
  // How many have a role is not known before it is asked.
  else if (need === 'some' && Number(count) > known.length && known.every(({ kind }) => kind === 'email'))
    say(
      'stages',
      'error',
      'approval_too_few',
      `in ${name} ${Number(count)} must approve, and only ${known.length} can be asked.`,
      'Name more, or ask for fewer.',
    );
  else if (need === 'some' && count === undefined)
    say(
      'stages',
      'error',
      'approval_count_missing',
      `${name} does not say how many must approve.`,
      'Fill in “At least”.',
    );
}

/** Times that a stage has of its own. */
function checkTimes(stage: Stage, othersNamed: boolean, say: Say): void {
  const text = typeof stage.escalateTo === 'string' ? stage.escalateTo : '';
  checkWho(text, 'stages', say);
  if (Number(stage.escalateAfterHours ?? 0) > 0 && text.trim() === '' && !othersNamed)
    say(
      'stages',
      'error',
      'approver_missing',
      'others are to be asked after a while in one of its stages, and it does not say who.',
      'Name them in the stage or for all of it, or set the hours to 0.',
    );
}

/** @returns undefined when a word in it is nobody, which is said. */
function checkWho(text: string, field: string, say: Say): ReturnType<typeof readApprovers>['approvers'] | undefined {
  const { approvers, unknown } = readApprovers(text);
  const [odd] = unknown;
  if (odd === undefined) return approvers;
  say(
    field,
    'error',
    'approver_unknown',
    `"${odd}" is neither an e-mail address nor a role.`,
    'Roles are owner, admin and builder; addresses have an @.',
  );
  return undefined;
}

function isFilled(mapping: FlowDocument['nodes'][string]['inputs'][string] | undefined): boolean {
  if (!mapping) return false;
  return mapping.kind === 'expression' ? mapping.source.trim() !== '' : mapping.value !== null && mapping.value !== '';
}
