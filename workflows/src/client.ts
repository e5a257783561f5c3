import { randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  WorkflowFailedError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  WorkflowNotFoundError,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type PayloadCodec,
} from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import type { StepDecision } from './activities/contract.ts';
import { carrierWorkflowId } from './payload-codec.ts';
import type { CarrierInput, DecideInput, WakeInput } from './workflows/carrier.ts';
import { names } from './workflows/names.ts';

export interface CarriersOptions {
  readonly address: string;
  readonly namespace: string;
  readonly codec: PayloadCodec;
  /** @default names.taskQueue */
  readonly taskQueue?: string;
  /**
   * What a worker of this process has. Carriers then start eagerly: Temporal hands their first task over in the answer to the start, where otherwise it
   * matches it with a worker that asks. It is closed by whoever opened it.
   * @default a connection of its own
   */
  readonly connection?: NativeConnection;
  /**
   * How long a decision waits for a run that is at work, milliseconds.
   * @default 30_000
   */
  readonly patienceMs?: number;
}

/** Which carrier. */
export interface CarrierRef {
  readonly companyId: string;
  readonly carrierId: string;
}

/** A decision came for a step that waits for none. */
export class StepNotParkedError extends Error {}

/** A step was to go on that does not wait for a time. */
export class StepNotWaitingError extends Error {}

/** Whoever carries the run is at work, or has as many decisions before it as Temporal keeps for one. What was asked may still come through. */
export class CarrierBusyError extends Error {}

/** Temporal cannot be reached: nothing was decided. */
export class TemporalAwayError extends Error {}

/** What Temporal says when it keeps no more updates of one workflow, and when it is not there (gRPC). */
const [EXHAUSTED, AWAY] = [8, 14];

/** gRPC's state of a channel over which something can be asked. */
const READY = 2;

/**
 * gRPC waits for ever for a server that accepts a connection and then says nothing, as behind a network that is half open, and makes no other one meanwhile,
 * whether it says that it connects or that it failed before (https://github.com/grpc/grpc-node/issues/2785). So whoever asked in vain looks whether theirs has
 * come about, and makes another.
 */
class OwnConnection extends Connection {
  isReady(): boolean {
    return this.client.getChannel().getConnectivityState(false) === READY;
  }
}

interface Line {
  readonly connection: Connection | NativeConnection;
  readonly client: Client;
  /** Questions that have no answer yet. */
  open: number;
}

/** Starts carriers and talks to them. A connection of its own is lazy: Temporal may be down when we start. */
export class Carriers {
  readonly #options: CarriersOptions;
  #line: Line;

  constructor(options: CarriersOptions) {
    this.#options = options;
    this.#line = this.#connect();
  }

  #connect(): Line {
    const { address, namespace, codec } = this.#options;
    const connection = this.#options.connection ?? OwnConnection.lazy({ address, connectTimeout: '5 seconds' });
    const client = new Client({ connection, namespace, dataConverter: { payloadCodecs: [codec] } });
    return { connection, client, open: 0 };
  }

  /** Asks Temporal, for so many milliseconds at most. @throws TemporalAwayError when there is no connection by then; the next question gets a new one. */
  async #ask<T>(patienceMs: number, question: (client: Client) => Promise<T>): Promise<T> {
    const line = this.#line;
    const deadline = Date.now() + patienceMs;
    line.open++;
    try {
      return await line.connection.withDeadline(deadline, () => question(line.client));
    } catch (error) {
      if (Date.now() < deadline || !(line.connection instanceof OwnConnection) || line.connection.isReady())
        throw error;
      if (line === this.#line) this.#line = this.#connect();
      throw new TemporalAwayError('Temporal accepts no connection.', { cause: error });
    } finally {
      line.open--;
      // Not before: the client asks again by itself, and to find a connection closed ends the process.
      if (line !== this.#line && line.open === 0) await line.connection.close();
    }
  }

  /**
   * Starts a carrier; while one of that id is under way it does nothing. May be repeated until it returns.
   * @returns whether it is over: it was started before, and has ended.
   */
  async start(input: CarrierInput): Promise<'under way' | 'over'> {
    return await this.#ask(10_000, ({ workflow }) =>
      workflow
        .start(names.carrier, {
          workflowId: carrierWorkflowId(input.companyId, input.carrierId),
          taskQueue: this.#options.taskQueue ?? names.taskQueue,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          requestEagerStart: this.#options.connection !== undefined,
          // Among many companies with much to do, each gets its turn.
          priority: { fairnessKey: input.companyId },
          args: [input],
        })
        .then(
          () => 'under way' as const,
          (error: unknown) => {
            if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return 'over' as const;
            throw error;
          },
        ),
    );
  }

  /** @throws StepNotParkedError, CarrierBusyError, TemporalAwayError */
  async decide(carrier: CarrierRef, decision: DecideInput): Promise<void> {
    await this.#update(carrier, names.decide, { id: randomUUID(), ...decision }, 'step_not_parked', StepNotParkedError);
  }

  /**
   * Lets a step that waits for its next try go on now.
   * @throws StepNotWaitingError, CarrierBusyError, TemporalAwayError
   */
  async wake(carrier: CarrierRef, step: WakeInput): Promise<void> {
    await this.#update(carrier, names.wake, step, 'step_not_waiting', StepNotWaitingError);
  }

  /** Somebody waits for what is asked next, and the client would go on trying for twenty seconds. @throws TemporalAwayError after two. */
  async #untilThere(): Promise<void> {
    const { connection } = this.#line;
    if (connection instanceof OwnConnection && !connection.isReady() && !(await this.isHealthy()))
      throw new TemporalAwayError('Temporal cannot be reached.');
  }

  async #update(
    carrier: CarrierRef,
    name: string,
    input: DecideInput | WakeInput,
    refusal: string,
    Refused: new (message: string) => Error,
  ): Promise<void> {
    await this.#untilThere();
    try {
      await this.#ask(this.#options.patienceMs ?? 30_000, (client) =>
        handleOf(client, carrier).executeUpdate<void, [DecideInput | WakeInput]>(name, { args: [input] }),
      );
    } catch (error) {
      if (
        error instanceof WorkflowUpdateFailedError &&
        error.cause instanceof ApplicationFailure &&
        error.cause.type === refusal
      )
        throw new Refused(error.cause.message);
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError)
        throw new Refused('The run has ended.');
      const code = error instanceof ServiceError && (error.cause as { code?: unknown } | undefined)?.code;
      if (code === AWAY) throw new TemporalAwayError('Temporal cannot be reached.', { cause: error });
      if (code === EXHAUSTED || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
        throw new CarrierBusyError('The run is at work and did not take this in time.', { cause: error });
      throw error;
    }
  }

  /** Asks a run to stop; its steps that have begun end first. @throws TemporalAwayError */
  async cancel(carrier: CarrierRef, runId: string): Promise<void> {
    await this.#untilThere();
    await this.#ask(10_000, (client) => handleOf(client, carrier).signal(names.cancel, { runId }));
  }

  /**
   * Tells a carrier that something happened to some of its runs. Resolves with whether there is such a carrier under way.
   */
  async look(carrier: CarrierRef, runIds: readonly string[]): Promise<boolean> {
    try {
      await this.#ask(10_000, (client) => handleOf(client, carrier).signal(names.look, { runIds }));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  /** Whether Temporal answers, within two seconds. */
  async isHealthy(): Promise<boolean> {
    try {
      await this.#ask(2_000, ({ workflowService }) => workflowService.getSystemInfo({}));
      return true;
    } catch {
      return false;
    }
  }

  /** Workers that have asked for work in the last minutes. */
  async pollers(): Promise<number> {
    const answer = await this.#ask(2_000, ({ workflowService }) =>
      workflowService.describeTaskQueue({
        namespace: this.#options.namespace,
        taskQueue: { name: this.#options.taskQueue ?? names.taskQueue },
        taskQueueType: 1,
      }),
    );
    return answer.pollers?.length ?? 0;
  }

  async close(): Promise<void> {
    if (!this.#options.connection) await this.#line.connection.close();
  }
}

function handleOf({ workflow }: Client, { companyId, carrierId }: CarrierRef): WorkflowHandle {
  return workflow.getHandle(carrierWorkflowId(companyId, carrierId));
}

export type { CarrierInput, DecideInput, StepDecision };
