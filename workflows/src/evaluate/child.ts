/**
 * The process in which expressions run. Its parent gives it an empty environment, no right to read files beyond its own
 * code, a small heap, and a second to answer. It knows nothing but the JSON text it is sent.
 */
import { evaluate } from './evaluate.ts';
import type { EvaluateRequest } from './protocol.ts';

process.on('message', (message: { id: number; request: EvaluateRequest }) => {
  void evaluate(message.request).then((answer) =>
    process.send?.({ id: message.id, answer, heapBytes: process.memoryUsage().heapUsed }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true, heapBytes: process.memoryUsage().heapUsed });
