import { z } from 'zod';
import { ConnectorFailure, defineHold } from '../sdk/index.ts';

const ended = z.object({
  status: z.enum(['succeeded', 'failed', 'cancelled']),
  result: z.record(z.string(), z.unknown()).nullish(),
  error: z.object({ message: z.string() }).loose().nullish(),
});

/**
 * Runs another flow as a step of this one, waits for its end, and takes over what it hands back.
 *
 * Errors: `flow_missing`, `flow_not_published`, `flow_takes_no_calls`, `call_too_deep`, `values_invalid`, `field_unknown`; `called_flow_failed`
 * with what went wrong there.
 */
export const node = defineHold({
  id: 'core.call-flow',
  title: 'Call another flow',
  description: 'Runs another flow as a step of this one and takes over what it hands back.',
  category: 'Logic',
  icon: 'workflow',
  input: z.object({
    flow: z.string().min(1).meta({ title: 'Flow', choicesFrom: 'flows' }),
    values: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ title: 'Hand over', description: 'An object with the fields that flow asks for.' }),
    version: z.int().min(1).optional().meta({
      title: 'Version',
      description: 'Left empty: whichever is published when it is called.',
      advanced: true,
    }),
  }),
  output: z.object({ runId: z.string(), result: z.record(z.string(), z.unknown()) }),
  async open({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.call({
      flowId: input.flow,
      values: input.values,
      ...(input.version === undefined ? {} : { version: input.version }),
    });
    return {};
  },
  close: (_, end) => {
    const { status, result, error, runId } = ended
      .extend({ runId: z.string() })
      .parse(end.kind === 'answered' ? end.answer : {});
    if (status !== 'succeeded')
      throw new ConnectorFailure({
        kind: 'invalid',
        code: 'called_flow_failed',
        message:
          status === 'cancelled'
            ? 'The flow that was called was cancelled.'
            : `The flow that was called failed: ${error?.message ?? 'it did not say why.'}`,
      });
    return { output: { runId, result: result ?? {} } };
  },
});
