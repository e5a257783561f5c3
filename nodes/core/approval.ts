import { z } from 'zod';
import { ConnectorFailure, defineHold, type NodeResult } from '../sdk/index.ts';
import { stagesFor } from './approval-stages.ts';
import { formFields } from './form-fields.ts';
import { recordSchemas, type RecordEntity } from './record-schemas.ts';
import { plainText } from './text-field.ts';

const entityIds = Object.keys(recordSchemas) as [RecordEntity, ...RecordEntity[]];
const entityLabels = {
  vendor_invoice: 'Vendor invoice',
  purchase_order: 'Purchase order',
  vendor: 'Vendor',
  project: 'Project',
  cost_code: 'Cost code',
} as const;
const hours = z.number().min(0).max(20_000);
const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,6})?$/, 'must be an amount like 1234.50');

/** Webhooks give amounts as numbers. Sums of them are off behind the last place that an amount may have, which is where they are rounded. */
const amount = z
  .union([decimal, z.number().transform((given) => plainText(Number(given.toFixed(6))))])
  .pipe(decimal)
  .optional()
  .meta({ title: 'Amount', description: 'Decides which stages are asked: trigger.record.total' });

const outcomes = z
  .array(
    z.object({
      // `approved`, `rejected` and `expired` are there anyway, `error` is the way that every step may have.
      id: z
        .string()
        .regex(
          /^(?!approved$|rejected$|expired$|error$|out$)[a-z][a-z0-9_]{0,31}$/,
          'use a lower-case letter, then letters, digits or _; approved, rejected, expired and error are taken',
        ),
      title: z.string().min(1).max(60).meta({ title: 'Button' }),
    }),
  )
  .max(8)
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'two outcomes have the same id');

const ownTime = (title: string) => hours.optional().meta({ title, shownWhen: { field: 'times', is: ['own'] } });

const stage = z
  .object({
    title: z.string().max(60).default('').meta({ title: 'Name' }),
    from: decimal.default('0').meta({ title: 'From amount' }),
    approvers: z.string().min(1).max(2_000).meta({ title: 'Who' }),
    need: z
      .enum(['any', 'all', 'some'])
      .default('any')
      .meta({ title: 'How many', labels: { any: 'One of them', all: 'All of them', some: 'At least …' } }),
    count: z
      .int()
      .min(1)
      .max(50)
      .optional()
      .meta({ title: 'At least', shownWhen: { field: 'need', is: ['some'] } }),
    times: z
      .enum(['same', 'own'])
      .default('same')
      .meta({ title: 'Times', labels: { same: 'As for all stages', own: 'Its own' } }),
    remindEveryHours: ownTime('Remind every … hours'),
    escalateAfterHours: ownTime('Ask others after … hours'),
    escalateTo: z
      .string()
      .max(2_000)
      .optional()
      .meta({ title: 'Whom then', shownWhen: { field: 'times', is: ['own'] } }),
    expiresAfterHours: ownTime('Give up after … hours'),
  })
  .refine(({ need, count }) => need !== 'some' || count !== undefined, 'says "at least" and not how many');

type Stage = z.infer<typeof stage>;

const decision = z.object({
  stage: z.number(),
  outcome: z.string(),
  by: z.string(),
  email: z.string(),
  at: z.string(),
  comment: z.string(),
  values: z.record(z.string(), z.unknown()),
  insteadOf: z.string().nullable(),
  way: z.enum(['studio', 'link']),
});

const answer = z.object({ outcome: z.string(), decisions: z.array(decision) });

/**
 * Puts a question to people and waits for what they decide, however long that takes.
 *
 * Errors: `approvers_missing`, `approver_unknown`, `approver_may_not_decide`, `too_few_approvers`, `amount_invalid`.
 */
export const node = defineHold({
  id: 'core.approval',
  title: 'Ask for approval',
  description: 'Waits until the right people have approved, stage by stage, or somebody says no.',
  category: 'Logic',
  icon: 'user-check',
  input: z.object({
    title: z
      .string()
      .min(1)
      .max(200)
      .meta({ title: 'What is asked', description: 'A line such as: Pay INV-1042 of Cascade Framing?' }),
    text: z.string().max(5_000).default('').meta({ title: 'Text', multiline: true }),
    facts: z
      .array(
        z.object({
          label: z.string().min(1).max(80).meta({ title: 'Label' }),
          value: z.union([z.string().max(2_000), z.number()]).meta({ title: 'Value' }),
        }),
      )
      .max(30)
      .default([])
      .meta({ title: 'Facts', description: 'What whoever decides needs to know, a line each.' }),
    amount,
    stages: z.array(stage).min(1).max(10).meta({
      title: 'Stages',
      description:
        'In their order; each begins when the one before it has approved, and is left out under its amount. Who: e-mail addresses or roles (owner, admin, builder), with commas. Its own times count from its beginning; what is left empty is as for all.',
    }),
    outcomes: outcomes.default([]).meta({
      title: 'Other answers',
      description: 'Beside approve and reject, such as “Ask for changes”. Each is a way out.',
    }),
    form: formFields
      .default([])
      .meta({ title: 'Form', description: 'What whoever decides fills in. A rejection may leave it empty.' }),
    comment: z
      .enum(['optional', 'rejection', 'always'])
      .default('optional')
      .meta({
        title: 'Comment',
        labels: { optional: 'As they like', rejection: 'Needed unless approved', always: 'Always needed' },
      }),
    remindEveryHours: hours.default(24).meta({ title: 'Remind every … hours', description: '0: never.' }),
    escalateAfterHours: hours
      .default(0)
      .meta({ title: 'Ask others after … hours', description: 'Counted from the beginning of each stage. 0: never.' }),
    escalateTo: z
      .string()
      .max(2_000)
      .default('')
      .meta({ title: 'Whom then', description: 'E-mail addresses or roles, with commas. They may decide as well.' }),
    expiresAfterHours: hours.default(0).meta({
      title: 'Give up after … hours',
      description: 'Then it goes on by “Expired”. 0: it waits as long as it takes.',
    }),
    recordEntity: z
      .enum(entityIds)
      .optional()
      .meta({ title: 'About which kind of record', labels: entityLabels, advanced: true }),
    recordId: z
      .string()
      .max(400)
      .optional()
      .meta({ title: 'About which record', description: 'trigger.record.id', advanced: true }),
  }),
  output: z.object({
    outcome: z.string().meta({ examples: ['approved'] }),
    approved: z.boolean(),
    /** Who decided last, and their words. */
    decidedBy: z.string(),
    comment: z.string(),
    /** What was filled in; where several did, the last word counts. */
    values: z.record(z.string(), z.unknown()),
    decisions: z.array(decision),
    /** Nobody had to be asked for so small an amount. */
    automatic: z.boolean().meta({ examples: [false] }),
  }),
  outputFields: { list: 'form', into: 'values', records: {} },
  ports: (config) => {
    const known = outcomes.safeParse(config['outcomes']);
    return [
      { id: 'approved', title: 'Approved' },
      { id: 'rejected', title: 'Rejected' },
      ...(known.success ? known.data.map(({ id, title }) => ({ id, title })) : []),
      { id: 'expired', title: 'Expired' },
    ];
  },
  example: { title: 'Pay INV-1042?', amount: '1200.00', stages: [{ approvers: 'owner' }] },
  async open({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.ask({
      title: input.title,
      text: input.text,
      facts: input.facts.map(({ label, value }) => ({ label, value: String(value) })),
      form: input.form,
      outcomes: input.outcomes,
      stages: applying(input.stages, input.amount).map(withTimes),
      comment: input.comment,
      remindEveryHours: input.remindEveryHours,
      escalateAfterHours: input.escalateAfterHours,
      escalateTo: input.escalateTo,
      expiresAfterHours: input.expiresAfterHours,
      ...(input.amount === undefined ? {} : { amount: input.amount }),
      ...(input.recordEntity && input.recordId ? { record: { entity: input.recordEntity, id: input.recordId } } : {}),
    });
    // When it expires is the platform's to say: a decision and the end of the time may come at the same moment, and one of them must stand.
    return {};
  },
  close: (_, ended): NodeResult<never> => {
    const { outcome, decisions } = answer.parse(
      ended.kind === 'answered' ? ended.answer : { outcome: 'expired', decisions: [] },
    );
    const last = decisions.at(-1);
    const output = {
      outcome,
      approved: outcome === 'approved',
      decidedBy: last?.by ?? '',
      comment: last?.comment ?? '',
      values: Object.assign({}, ...decisions.map(({ values }) => values)) as Record<string, unknown>,
      decisions,
      automatic: outcome === 'approved' && decisions.length === 0,
    };
    return { output: output as never, port: outcome };
  },
});

/** A stage's times, where it has some of its own. */
function withTimes({ times, remindEveryHours, escalateAfterHours, escalateTo, expiresAfterHours, ...stage }: Stage) {
  if (times === 'same') return stage;
  return { ...stage, times: { remindEveryHours, escalateAfterHours, escalateTo, expiresAfterHours } };
}

function applying<S extends { readonly from: string }>(stages: readonly S[], amount: string | undefined): readonly S[] {
  try {
    return stagesFor(stages, amount);
  } catch (error) {
    throw new ConnectorFailure({
      kind: 'invalid',
      code: 'amount_invalid',
      message: `${(error as Error).message}, so nobody can tell who must approve.`,
      cause: error,
    });
  }
}
