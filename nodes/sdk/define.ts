import type { z } from 'zod';
import type { Connector } from './connector.ts';
import type { Hold, HoldEnd, InputSchema, NodeResult, NodeType, Port, RunContext } from './node-type.ts';
import type { TriggerSubscription } from './trigger.ts';

/** The one way out of a node that has only one. */
export const onePort: readonly Port[] = [{ id: 'out', title: 'Then' }];

type Common<I extends InputSchema, O extends z.ZodType> = Omit<
  NodeType,
  | 'kind'
  | 'version'
  | 'input'
  | 'output'
  | 'run'
  | 'wait'
  | 'control'
  | 'hold'
  | 'undo'
  | 'findExisting'
  | 'ports'
  | 'effect'
  | 'effectFor'
  | 'idempotencyFor'
  | 'example'
  | 'remote'
  | 'subscription'
> & {
  /** @default 1 */
  readonly version?: number;
  readonly input: I;
  readonly output: O;
  /** @default one port, `out` */
  readonly ports?: NodeType['ports'];
};

type Run<I extends InputSchema, O extends z.ZodType> = (
  context: RunContext<z.infer<I>>,
) => Promise<NodeResult<z.infer<O>>>;

/** An action as its author writes it: `run` gets the checked input and must return the declared output. */
export type ActionDeclaration<I extends InputSchema, O extends z.ZodType> = Common<I, O> & {
  readonly effect: NodeType['effect'];
  readonly effectFor?: (input: z.infer<I>) => NodeType['effect'];
  readonly idempotencyFor?: (input: z.infer<I>) => 'key' | 'none';
  readonly run: Run<I, O>;
  readonly findExisting?: (context: RunContext<z.infer<I>>) => Promise<NodeResult<z.infer<O>> | undefined>;
  readonly undo?: {
    readonly title: string;
    readonly run: (context: RunContext<{ readonly input: z.infer<I>; readonly output: z.infer<O> }>) => Promise<void>;
  };
  readonly example?: z.input<I>;
  readonly remote?: {
    readonly type: string;
    readonly entity: string;
    read(output: z.infer<O>): { readonly id: string; readonly version?: string };
  };
};

/** Declares something that is done: a call to a vendor, or a piece of work of ours. */
export function defineAction<I extends InputSchema, O extends z.ZodType>(action: ActionDeclaration<I, O>): NodeType {
  return erase({ version: 1, ports: onePort, ...action, kind: 'action' });
}

/** Declares a decision: it changes nothing and chooses a port. */
export function defineLogic<I extends InputSchema, O extends z.ZodType>(
  logic: Common<I, O> & { readonly run: Run<I, O> },
): NodeType {
  return erase({ version: 1, ports: onePort, effect: 'none', ...logic, kind: 'logic' });
}

/** Declares a step that does nothing but wait: `until` says for what time, `resume` what it hands on when that has come. */
export function defineWait<I extends InputSchema, O extends z.ZodType>(
  wait: Common<I, O> & {
    readonly example?: z.input<I>;
    readonly until: (input: z.infer<I>, now: Date, company: { readonly timeZone: string }) => Date;
    readonly resume: (input: z.infer<I>, until: Date) => z.infer<O>;
  },
): NodeType {
  const { until, resume, ...rest } = wait;
  return erase({ version: 1, ports: onePort, effect: 'none', ...rest, kind: 'logic', wait: { until, resume } });
}

/** Declares a loop, or what ends a turn of one: the interpreter carries it out. */
export function defineLoop<I extends InputSchema, O extends z.ZodType>(
  loop: Common<I, O> & {
    readonly control: Exclude<NonNullable<NodeType['control']>, 'scope'>;
    readonly example?: z.input<I>;
  },
): NodeType {
  const isLoop = loop.control === 'each' || loop.control === 'while';
  const ports: readonly Port[] = isLoop
    ? [
        { id: 'out', title: 'Afterwards' },
        { id: 'each', title: loop.control === 'each' ? 'Each item' : 'Each round' },
      ]
    : [];
  return erase({ version: 1, effect: 'none', ...loop, ports, kind: 'logic' });
}

/** Declares what holds steps together, once: the interpreter carries it out. */
export function defineScope<I extends InputSchema, O extends z.ZodType>(
  scope: Common<I, O> & { readonly example?: z.input<I> },
): NodeType {
  const ports: readonly Port[] = [
    { id: 'out', title: 'All done' },
    { id: 'error', title: 'One failed' },
    { id: 'each', title: 'Inside' },
  ];
  return erase({ version: 1, effect: 'none', ...scope, ports, kind: 'logic', control: 'scope' });
}

/** Declares a step that hands something over and waits for what comes of it: an answer, or its time. */
export function defineHold<I extends InputSchema, O extends z.ZodType>(
  hold: Common<I, O> & {
    readonly example?: z.input<I>;
    readonly open: (context: RunContext<z.infer<I>>) => Promise<Hold>;
    readonly expire?: (context: RunContext<z.infer<I>>) => Promise<unknown>;
    readonly close: (input: z.infer<I>, ended: HoldEnd) => NodeResult<z.infer<O>>;
  },
): NodeType {
  const { open, expire, close, ...rest } = hold;
  return erase({
    version: 1,
    ports: onePort,
    effect: 'none',
    ...rest,
    kind: 'logic',
    hold: { open, ...(expire ? { expire } : {}), close },
  });
}

/** Declares what starts a flow. It does not run; its `input` is the configuration of the subscription. */
export function defineTrigger<I extends InputSchema, O extends z.ZodType>(
  trigger: Common<I, O> & { readonly subscription: TriggerSubscription },
): NodeType {
  return erase({ version: 1, ports: onePort, effect: 'none', ...trigger, kind: 'trigger' });
}

/**
 * Declares a vendor; its nodes learn here whose they are.
 * @throws TypeError when a node's id does not begin with the connector's
 */
export function defineConnector(connector: Connector): Connector {
  const nodes = connector.nodes.map((node) => {
    if (!node.id.startsWith(`${connector.id}.`)) throw new TypeError(`${node.id} does not belong to ${connector.id}`);
    return { ...node, connector: connector.id };
  });
  return { ...connector, nodes };
}

/** The catalog holds nodes of all types together: what `run` takes is checked by `input` at run time, no longer by the compiler. */
function erase(node: object): NodeType {
  return node as NodeType;
}
