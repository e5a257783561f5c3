/**
 * Temporal's SDK keeps a stack trace for every promise of a workflow, for the "Stack Trace" page of Temporal's UI. Ours are of the carrier, the same for every
 * flow, so nobody looks at them; they cost a quarter of a millisecond of processor a run, and kilobytes for each run that waits. The SDK takes them for
 * optional: without the hook everything else is as it was.
 */
import v8 from 'node:v8';
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) v8.promiseHooks.createHook = () => () => undefined;
