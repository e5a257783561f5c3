import { z } from 'zod';
import { defineLogic } from '../sdk/index.ts';
import { plainText } from './text-field.ts';

const cases = z
  .array(
    z.object({
      // `default` is the way for the rest, `error` the one that every step may have.
      id: z
        .string()
        .regex(/^(?!default$|error$)[a-z][a-z0-9_]{0,31}$/, 'use a lower-case letter, then letters, digits or _'),
      title: z.string().min(1).max(60),
      equals: z.string().max(200),
    }),
  )
  .min(1)
  .max(20)
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'two ways have the same id');

/** Numbers, and yes or no, are compared as they are written. The step has to be told what to look at; when there is nothing, none of the ways is its way. */
const value = z
  .preprocess((given) => given ?? null, z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .meta({ title: 'Value', type: ['string', 'number', 'boolean', 'null'] });

/** As many ways on as there are cases, and one for the rest. */
export const node = defineLogic({
  id: 'core.switch',
  title: 'Choose a way',
  description: 'Goes one of several ways, by a value.',
  category: 'Logic',
  icon: 'signpost',
  input: z.object({ value, cases: cases.meta({ title: 'Ways' }) }),
  output: z.object({ matched: z.string() }),
  ports: (config) => {
    const known = cases.safeParse(config['cases']);
    return [
      ...(known.success ? known.data.map(({ id, title }) => ({ id, title })) : []),
      { id: 'default', title: 'Everything else' },
    ];
  },
  run: ({ input }) => {
    const text = input.value === null ? undefined : plainText(input.value);
    const port = input.cases.find(({ equals }) => equals === text)?.id ?? 'default';
    return Promise.resolve({ output: { matched: port }, port });
  },
});
