import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { atMost, atMostFields } from './at-most.ts';
import { recordChangeFields } from './record-schemas.ts';
import { textField } from './text-field.ts';

/**
 * Waits until something happens to one record, or until its time is up, whichever comes first. What happened before it began to wait does not count.
 */
export const node = defineHold({
  id: 'core.wait-for-event',
  title: 'Wait until something happens',
  description: 'Goes on when a record changes, an invoice is paid …, or when its time is up.',
  category: 'Logic',
  icon: 'bell-ring',
  input: z.object({
    ...recordChangeFields,
    equals: textField({
      max: 400,
      title: 'Which one',
      description: 'What stands in that field of the record it waits for: trigger.record.id',
    }),
    field: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,7}$/, 'use a field such as id or vendorId')
      .default('id')
      .meta({ title: 'Field', description: 'Field of the record that must have this value.', advanced: true }),
    ...atMostFields,
  }),
  output: z.object({ happened: z.boolean(), event: z.unknown() }),
  ports: [
    { id: 'out', title: 'It happened' },
    { id: 'timeout', title: 'Time is up' },
  ],
  example: { entity: 'vendor_invoice', change: 'paid', equals: '7' },
  async open({ input, platform, now }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.expect({
      key: `${input.entity}.${input.change}`,
      path: ['record', ...input.field.split('.')],
      value: input.equals,
    });
    return atMost(input, now());
  },
  close: (_, end) =>
    end.kind === 'answered'
      ? { output: { happened: true, event: end.answer } }
      : { output: { happened: false, event: null }, port: 'timeout' },
});
