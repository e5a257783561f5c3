/**
 * The process in which expressions run. Its parent gives it an empty environment, no right to read files beyond its own
 * code, a small heap, and a second to answer. It knows nothing but the JSON text it is sent.
 */
import { evaluate } from './evaluate.ts';
import type { EvaluateRequest } from './protocol.ts';

/** One after the other, in the order they came: JSONata is asynchronous inside, and two would share each other's time. */
let last: Promise<unknown> = Promise.resolve();
process.on('message', (message: { request: EvaluateRequest }) => {
  last = last
    .then(() => evaluate(message.request))
    .then((answer) => process.send?.({ answer, heapBytes: process.memoryUsage().heapUsed }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true, heapBytes: process.memoryUsage().heapUsed });
