import { fork, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluateLimits, type EvaluateAnswer, type EvaluateRequest, type ExpressionErrorCode } from './protocol.ts';

export interface EvaluatorOptions {
  /** Child processes. @default 2 */
  readonly size?: number;
  /** A child is replaced after this many evaluations, when its heap has grown by 48 MB, or when an expression was stopped in it. @default 10_000 */
  readonly recycleAfter?: number;
  /** Waiting requests beyond this are refused with `evaluator_busy`. @default 1_000 */
  readonly queueLimit?: number;
  readonly onKill?: (reason: { readonly code: ExpressionErrorCode; readonly companyId: string }) => void;
}

interface Job {
  readonly companyId: string;
  readonly request: EvaluateRequest;
  readonly resolve: (answer: EvaluateAnswer) => void;
}

interface Child {
  readonly process: ChildProcess;
  ready: boolean;
  started: boolean;
  served: number;
  /** Heap when it was ready for its first work. */
  heapBytes: number;
  /** What it was sent, all of one company; the first is being evaluated. */
  jobs: Job[];
  /** When the first began, on the clock of `performance.now()`. */
  since: number;
  timer: NodeJS.Timeout | undefined;
  /** Ends what it may do at the expense of others. */
  patience: NodeJS.Timeout | undefined;
  stoodBack: boolean;
  /** Why we killed it, when we did. */
  killed: ExpressionErrorCode | undefined;
  /** Whose expression cost the pool the child before it; its place is that company's until it is ready. */
  owedBy: string | undefined;
}

/**
 * Runs JSONata in killable child processes. Neither a worker thread nor `vm` would do: an expression can exhaust the heap, and V8 then
 * takes the whole process. One company holds at most all but one child, so it cannot make the others wait; the last one is for what has proved to be
 * quick, and stays with nobody for long.
 */
export class Evaluator {
  readonly #size: number;
  readonly #recycleAfter: number;
  readonly #queueLimit: number;
  readonly #onKill: NonNullable<EvaluatorOptions['onKill']>;
  readonly #children = new Set<Child>();
  /** Expressions that were answered quickly the last time. */
  readonly #quick = new Set<string>();
  #queue: Job[] = [];
  #closed = false;
  /** Children that died under an expression since the start. */
  kills = 0;

  constructor(options: EvaluatorOptions = {}) {
    this.#size = Math.max(1, options.size ?? 2);
    this.#recycleAfter = options.recycleAfter ?? 10_000;
    this.#queueLimit = options.queueLimit ?? 1_000;
    this.#onKill = options.onKill ?? (() => undefined);
    for (let index = 0; index < this.#size; index++) this.#spawn();
  }

  /** Evaluates one step's expressions. Never rejects; takes 1.2 s at most once it has a child. */
  evaluate(companyId: string, request: EvaluateRequest): Promise<EvaluateAnswer> {
    const first = request.expressions[0];
    if (first === undefined) return Promise.resolve({ ok: true, values: {} });
    if (request.context.length > evaluateLimits.contextBytes)
      return Promise.resolve(refusal(first.field, 'expr_too_large', 'The data this step reads is larger than 4 MB.'));
    if (this.#closed || this.#queue.length >= this.#queueLimit)
      return Promise.resolve(
        refusal(first.field, 'evaluator_busy', 'Too many expressions are waiting. Try again in a moment.'),
      );
    return new Promise((resolve) => {
      this.#queue.push({ companyId, request, resolve });
      this.#pump();
    });
  }

  /** Children ready to work, for the health page. */
  get ready(): number {
    return [...this.#children].filter((child) => child.ready).length;
  }

  /** Stops at once; whoever still waits is told `evaluator_busy`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { request, resolve } of this.#queue.splice(0)) resolve(stopping(request));
    await Promise.all(
      [...this.#children].map(
        (child) =>
          new Promise<void>((resolve) => {
            child.process.ref();
            child.process.once('exit', () => resolve());
            child.process.kill('SIGKILL');
          }),
      ),
    );
  }

  #spawn(owedBy?: string): void {
    const childProcess = fork(childPath, {
      env: {},
      execArgv: childFlags(),
      serialization: 'json',
      stdio: ['ignore', 'ignore', process.env['PLUMBLINE_DEBUG_EVALUATOR'] ? 'inherit' : 'ignore', 'ipc'],
    });
    const child: Child = {
      process: childProcess,
      ready: false,
      started: false,
      served: 0,
      heapBytes: 0,
      jobs: [],
      since: 0,
      timer: undefined,
      patience: undefined,
      stoodBack: false,
      killed: undefined,
      owedBy,
    };
    this.#children.add(child);
    childProcess.on('message', (message: { heapBytes: number } & ({ ready: true } | { answer: EvaluateAnswer })) => {
      // Its answer was on the way when it was given up.
      if (!this.#children.has(child)) return;
      if ('ready' in message) Object.assign(child, { ...message, started: true, owedBy: undefined });
      else this.#answered(child, message.answer, message.heapBytes);
      // An idle child does not keep its host alive, a busy or starting one does.
      childProcess.channel?.unref();
      childProcess.unref();
      this.#pump();
    });
    childProcess.on('error', () => undefined);
    childProcess.once('exit', () => this.#exited(child));
    childProcess.unref();
  }

  #pump(): void {
    for (const child of this.#children) {
      if (!child.ready || child.jobs.length > 0) continue;
      const index = this.#queue.findIndex((job) => this.#mayStart(job));
      const [job] = index < 0 ? [] : this.#queue.splice(index, 1);
      if (!job) break;
      this.#send(child, job);
    }
    for (const child of this.#children) if (child.ready && child.jobs.length > 0) this.#fill(child);
  }

  /** Sends more of the same company's, so that the child need not wait for us between two; unless another company waits for a child. */
  #fill(child: Child): void {
    const companyId = child.jobs[0]?.companyId;
    while (child.jobs.length < PIPELINE) {
      const [job] = this.#queue;
      if (!job || job.companyId !== companyId) return;
      if (this.#size > 1 && this.#holds(companyId) === this.#size && !this.#isQuick(job)) return;
      this.#queue.shift();
      this.#send(child, job);
    }
  }

  #send(child: Child, job: Job): void {
    child.jobs.push(job);
    child.process.channel?.ref();
    // Its death is news as well, and comes after the channel has closed.
    child.process.ref();
    if (child.jobs.length === 1) this.#watch(child);
    child.process.send({ request: job.request });
  }

  /** Gives the job whose turn it is its time. */
  #watch(child: Child): void {
    child.since = performance.now();
    child.patience = setTimeout(() => (child.stoodBack = prioritize(child, LOW)), STAND_BACK_MS);
    child.timer = setTimeout(() => {
      child.killed = 'expr_resource';
      child.process.kill('SIGKILL');
      // To give back all the memory it took may take it longer than anybody wants to wait.
      this.#exited(child);
    }, evaluateLimits.hardTimeoutMs);
  }

  #unwatch({ timer, patience }: Child): void {
    clearTimeout(timer);
    clearTimeout(patience);
  }

  /** A company leaves one child to the others; but what is known to be quick need not wait for its own company's, while nobody else waits. */
  #mayStart(job: Job): boolean {
    if (this.#size === 1 || this.#holds(job.companyId) < this.#size - 1) return true;
    return this.#isQuick(job) && !this.#queue.some(({ companyId }) => companyId !== job.companyId);
  }

  #holds(companyId: string): number {
    return [...this.#children].filter(({ jobs, owedBy }) => (jobs[0]?.companyId ?? owedBy) === companyId).length;
  }

  #isQuick({ request }: Job): boolean {
    return request.expressions.every(({ source }) => this.#quick.has(source));
  }

  /** Remembers how long expressions took; one that never answered took for ever. */
  #timed({ request }: Job, ms: number): void {
    if (this.#quick.size > QUICK_KNOWN) this.#quick.clear();
    for (const { source } of request.expressions)
      if (ms < QUICK_MS) this.#quick.add(source);
      else this.#quick.delete(source);
  }

  #answered(child: Child, answer: EvaluateAnswer, heapBytes: number): void {
    this.#unwatch(child);
    const job = child.jobs.shift();
    if (job) this.#timed(job, performance.now() - child.since);
    job?.resolve(answer);
    child.served++;
    // Few may ask for more than they were given.
    if (child.stoodBack) child.stoodBack = !prioritize(child, NORMAL);
    if (!answer.ok && ranAway.has(answer.error.code)) this.#retire(child, job?.companyId);
    else if (child.stoodBack || child.served >= this.#recycleAfter || heapBytes - child.heapBytes > GROWTH_MAX_BYTES)
      this.#retire(child);
    else if (child.jobs.length > 0) this.#watch(child);
  }

  /** Starts the successor before the old child goes, so that a recycle costs nobody a wait. */
  #retire(child: Child, owedBy?: string): void {
    child.ready = false;
    this.#children.delete(child);
    this.#queue.unshift(...child.jobs.splice(0));
    if (!this.#closed) this.#spawn(owedBy);
    child.process.kill('SIGKILL');
  }

  #exited(child: Child): void {
    this.#unwatch(child);
    if (!this.#children.delete(child)) return;
    // Only the one whose turn it was can have killed it; the others never began.
    const [job, ...others] = child.jobs.splice(0);
    if (job) {
      this.kills++;
      this.#timed(job, Infinity);
      const code = child.killed ?? 'expr_resource';
      this.#onKill({ code, companyId: job.companyId });
      const field = job.request.expressions[0]?.field ?? '';
      job.resolve(
        refusal(field, code, 'The expression used more memory or time than an expression may, and was stopped.'),
      );
    }
    if (this.#closed) {
      for (const { request, resolve } of others) resolve(stopping(request));
      return;
    }
    this.#queue.unshift(...others);
    if (child.started) this.#spawn(job?.companyId);
    // It did not even come up; trying again at once would do nothing else.
    else setTimeout(() => this.#closed || this.#spawn(), RESTART_MS).unref();
    this.#pump();
  }
}

function stopping(request: EvaluateRequest): EvaluateAnswer {
  const field = request.expressions[0]?.field ?? '';
  return refusal(field, 'evaluator_busy', 'The evaluator is stopping. Try again in a moment.');
}

/** So many jobs a child has at once: enough that it never waits for a busy parent, few enough to be sent again when it dies. */
const PIPELINE = 16;

function refusal(field: string, code: ExpressionErrorCode, message: string): EvaluateAnswer {
  return { ok: false, error: { field, code, message } };
}

const RESTART_MS = 1_000;

/** What runs longer than this goes on with what others leave of the processor. Not sooner, and not for nothing: a clock on the wall ends it. */
const STAND_BACK_MS = 150;
const { PRIORITY_BELOW_NORMAL: LOW, PRIORITY_NORMAL: NORMAL } = constants.priority;

/** @returns whether the system let us. */
function prioritize({ process: { pid } }: Child, priority: number): boolean {
  try {
    if (pid !== undefined) setPriority(pid, priority);
    return pid !== undefined;
  } catch {
    return false;
  }
}

/** What takes less than this is quick. */
const QUICK_MS = 20;
const QUICK_KNOWN = 5_000;

/** More than this left behind, and the next expression would die of what the last one did. */
const GROWTH_MAX_BYTES = 48 * 1024 * 1024;

/** JSONata is asynchronous inside: what was stopped half-way may still run on, on the next one's time. */
const ranAway: ReadonlySet<ExpressionErrorCode> = new Set(['expr_timeout', 'expr_too_deep', 'expr_too_large']);

const childPath = fileURLToPath(new URL('./child.ts', import.meta.url));

/** @internal Reads are allowed for the child's own code and its two libraries, nothing else; writes, network, workers and children never. */
export function childFlags(): string[] {
  const require = createRequire(import.meta.url);
  const here = dirname(realpathSync(childPath));
  const packageFolder = (name: string): string => {
    const entry = realpathSync(require.resolve(name));
    return entry.slice(0, entry.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
  };
  const readable = [here, join(here, '..', '..', 'package.json'), packageFolder('jsonata'), packageFolder('re2js')];
  return [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    '--max-old-space-size=96',
    '--no-warnings',
  ];
}
