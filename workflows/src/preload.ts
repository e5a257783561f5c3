/** Preloaded into the worker process (`node --import`), and with it into the thread that runs workflow code. */
import './no-promise-traces.ts';
import './workflow-watch.ts';
