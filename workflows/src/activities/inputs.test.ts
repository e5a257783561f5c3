import { defineAction } from '@plumbline/nodes/sdk';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PlainExpressions } from '../evaluate/plain.ts';
import { mapInputs } from './inputs.ts';

const type = defineAction({
  ...{ id: 'test.take', title: 'Take', description: '', category: 'Data', icon: '', effect: 'none' },
  input: z.object({ value: z.unknown() }),
  output: z.object({}),
  run: () => Promise.resolve({ output: {} }),
});

/** What the evaluator is given to see. */
async function seen(source: string, reads: readonly string[] = []): Promise<unknown> {
  let context: unknown;
  await mapInputs({
    evaluator: {
      evaluate: (_: string, request: { readonly context: string }) => {
        context = JSON.parse(request.context);
        return Promise.resolve({ ok: true, values: { value: '1' } });
      },
    } as never,
    plain: new PlainExpressions(),
    companyId: 'c',
    step: {
      ...{ type: type.id, version: 1, name: 'Take' },
      inputs: { value: { kind: 'expression', source, reads: [...reads] } },
    },
    type,
    context: { trigger: { list: [1, 2] }, loop: { item: 1 } } as never,
    now: new Date(),
    seed: 's',
  });
  return context;
}

test('what started the run goes to the evaluator only where it is read: it may be a list that a loop goes through', async () => {
  expect(await seen('loop.item * 2')).toEqual({ loop: { item: 1 } });
  expect(await seen('$sum(trigger.list)')).toHaveProperty('trigger');
  expect(await seen('$sum(**.list)', ['*'])).toHaveProperty('trigger');
});
