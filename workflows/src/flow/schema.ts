import { z } from 'zod';

/** Version of the document format; older ones are migrated on read. */
export const FLOW_SCHEMA = 1;

export const limits = {
  nodes: 500,
  edges: 2_000,
  mappings: 2_000,
  expressionBytes: 16_384,
  nameLength: 120,
} as const;

/** Ids appear in expressions (`steps.create_bill.id`), so they are JSONata names, and none that every object has. */
export const nodeIdSchema = z
  .string()
  .regex(/^(?!constructor$|prototype$)[a-z][a-z0-9_]{0,47}$/, 'Use a lower-case letter, then letters, digits or _');

/** A field's value: given, or computed from what came before. */
export const mappingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('literal'), value: z.json() }),
  /** JSONata over `{ trigger, steps, params, run, company }`. */
  z.strictObject({ kind: z.literal('expression'), source: z.string() }),
]);

/** After so long since the first branch arrived, it goes on with what is there. Up to 31 days. */
const timeoutSeconds = z
  .int()
  .min(1)
  .max(31 * 86_400)
  .optional();

/**
 * How many of the ways that lead to a step must have been taken. With `any` and `all` it starts when each is taken or known not to be; with `count` as soon
 * as so many are taken.
 */
export const joinSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('any'), timeoutSeconds }),
  z.strictObject({ mode: z.literal('all'), timeoutSeconds }),
  z.strictObject({ mode: z.literal('count'), count: z.int().min(1).max(100), timeoutSeconds }),
]);

export const retrySchema = z.strictObject({
  /** First try included. */
  attempts: z.int().min(1).max(20),
  /** Doubles with every try, up to an hour. */
  initialSeconds: z.number().min(0.1).max(3_600),
});

export const flowNodeSchema = z.strictObject({
  type: z.string().max(100),
  version: z.int().min(1),
  name: z.string().trim().min(1).max(limits.nameLength),
  /** Slot in `connections`. */
  connection: z.string().optional(),
  inputs: z.record(z.string(), mappingSchema),
  /** @default any */
  join: joinSchema.optional(),
  retry: retrySchema.optional(),
  /**
   * `park` waits for a person; `port` continues along the port `error`; `stop` fails the run, or inside a scope that, or inside a loop that item;
   * `compensate` undoes what the run wrote, in reverse, and fails it, from within loops, too, whatever they do after failed items. @default park, and stop inside a scope or a loop that goes on after failed items
   */
  onError: z.enum(['park', 'port', 'stop', 'compensate']).optional(),
  /** Loop or scope that it stands in. */
  parent: nodeIdSchema.optional(),
  disabled: z.boolean().optional(),
  note: z.string().max(2_000).optional(),
});

export const flowEdgeSchema = z.strictObject({
  id: z.string().max(120),
  from: nodeIdSchema,
  port: z.string().max(64),
  to: nodeIdSchema,
});

export const connectionSlotSchema = z.strictObject({
  connector: z.string(),
  title: z.string().max(limits.nameLength),
  /** Id of the company's connection; null until one is chosen. */
  id: z.uuid().nullable(),
});

/** A setting of the flow that its owner may change without drawing. Read in expressions as `params.<id>`. */
export const flowParamSchema = z.strictObject({
  title: z.string().max(limits.nameLength),
  description: z.string().max(500).optional(),
  type: z.enum(['text', 'number', 'boolean', 'choice']),
  /** For choices: the connection slot and the connector's named options. */
  optionsFrom: z.strictObject({ connection: z.string(), name: z.string() }).optional(),
  value: z.json(),
});

/** A flow as people draw it: canonical JSON, positions apart, so that it diffs. */
export const flowDocumentSchema = z.strictObject({
  schema: z.literal(FLOW_SCHEMA),
  params: z.record(nodeIdSchema, flowParamSchema),
  connections: z.record(nodeIdSchema, connectionSlotSchema),
  nodes: z.record(nodeIdSchema, flowNodeSchema),
  edges: z.array(flowEdgeSchema),
  positions: z.record(nodeIdSchema, z.strictObject({ x: z.number(), y: z.number() })),
});

export type Mapping = z.infer<typeof mappingSchema>;
export type Join = z.infer<typeof joinSchema>;
export type RetryPolicy = z.infer<typeof retrySchema>;
export type FlowNode = z.infer<typeof flowNodeSchema>;
export type FlowEdge = z.infer<typeof flowEdgeSchema>;
export type FlowParam = z.infer<typeof flowParamSchema>;
export type ConnectionSlot = z.infer<typeof connectionSlotSchema>;
export type FlowDocument = z.infer<typeof flowDocumentSchema>;

/** A flow with nothing on its canvas. */
export function emptyFlow(): FlowDocument {
  return { schema: FLOW_SCHEMA, params: {}, connections: {}, nodes: {}, edges: [], positions: {} };
}
