import type { NodeResult, NodeType, RunContext } from '../sdk/node-type.ts';

/** Runs a core node as the engine does: input and output are checked against its schemas, and the output crosses as JSON. */
export async function run(type: NodeType, input: unknown): Promise<NodeResult> {
  const result = await type.run?.({ input: type.input.parse(input) } as unknown as RunContext<never>);
  if (!result) throw new Error(`${type.id} does not run`);
  return { ...result, output: JSON.parse(JSON.stringify(type.output.parse(result.output))) as unknown };
}

/** The output alone. */
export async function outputOf<O = unknown>(type: NodeType, input: unknown): Promise<O> {
  return (await run(type, input)).output as O;
}

/** How long something took, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** A list as long as one may be. */
export function manyRows<T>(make: (index: number) => T, count = 100_000): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
