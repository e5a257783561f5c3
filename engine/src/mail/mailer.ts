import type { DispatcherStore, Store, Transaction } from '@plumbline/db';
import { voidToken } from '@plumbline/workflows/approvals/links';
import { again, tell } from '@plumbline/workflows/notices';
import type { Logger } from 'pino';
import { Undeliverable, type PostOffice } from './post-office.ts';
import { takeMail, type MailRef, type Taken } from './take-mail.ts';

export interface MailerOptions {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly postOffice: PostOffice;
  /** Where links lead. */
  readonly origin: string;
  readonly log: Logger;
  readonly now: () => Date;
}

const EVERY_MS = 2_000;
const BATCH = 50;
const SIDE_BY_SIDE = 2;
const PATIENCE_MS = 3_000;
/** The wait after the first failure; it doubles up to an hour. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;
/** What has not got through by then is dropped, and somebody told. */
const KEPT_HOURS = 72;

/**
 * Hands over the mail that is written down. Any number of processes may: each takes what it sends. A mail is handed over at least once, under one message id,
 * and never when what it asks is over; what does not get through is tried again for three days.
 */
export class Mailer {
  readonly #options: MailerOptions;
  readonly #timer: NodeJS.Timeout;
  #sending: Promise<unknown> | undefined;
  #closed = false;

  constructor(options: MailerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#sending ??= sendDueMails(options, () => this.#closed)
        .catch((error: unknown) =>
          options.log.error({ err: error }, 'mail could not be looked after; it is again soon'),
        )
        .finally(() => (this.#sending = undefined));
    }, EVERY_MS);
  }

  /** Begins nothing new, and waits a little for what is on its way; what is cut off is sent again by the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    let patience: NodeJS.Timeout | undefined;
    await Promise.race([this.#sending, new Promise((resolve) => (patience = setTimeout(resolve, PATIENCE_MS)))]);
    clearTimeout(patience);
    this.#options.postOffice.close();
  }
}

/** Sends what is due, once. @returns how many were handed over. */
export async function sendDueMails(options: MailerOptions, isClosed: () => boolean = () => false): Promise<number> {
  const due = await options.dispatcher.dueMails(options.now(), BATCH);
  let sent = 0;
  const next = async (): Promise<void> => {
    for (let mail = due.shift(); mail && !isClosed(); mail = due.shift())
      try {
        if (await sendOne(options, mail)) sent++;
      } catch (error) {
        options.log.error({ err: error, ...mail }, 'a mail could not be looked after; it is again soon');
      }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, next));
  return sent;
}

async function sendOne(options: MailerOptions, ref: MailRef): Promise<boolean> {
  const { store, postOffice, origin, now } = options;
  const taken = await store.tenant(ref.companyId, (tx) => takeMail(tx, ref, { origin, at: now() }));
  if (!taken) return false;
  try {
    await postOffice.send(taken.letter);
  } catch (error) {
    await store.tenant(ref.companyId, (tx) => setBack(tx, options, { ...taken, ...ref }, error));
    return false;
  }
  await store.tenant(ref.companyId, (tx) =>
    tx
      .updateTable('mail_outbox')
      .set({ sent_at: now(), problem: null })
      .where('company_id', '=', ref.companyId)
      .where('id', '=', ref.mailId)
      .execute(),
  );
  return true;
}

/** Has it tried again later, or drops it and tells those who can hand the link over themselves. */
async function setBack(
  tx: Transaction,
  { log, now }: MailerOptions,
  mail: Taken & MailRef,
  error: unknown,
): Promise<void> {
  const { companyId, mailId, attempts, firstAt, approvalId, letter, token } = mail;
  const at = now();
  const problem = (error instanceof Error ? error.message : String(error)).replaceAll('\0', '').slice(0, 500);
  const isOver = error instanceof Undeliverable || at.getTime() - firstAt.getTime() > KEPT_HOURS * 3_600_000;
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS);
  log.warn({ companyId, mailId, attempts, err: error, dropped: isOver }, 'a mail did not get through');
  await tx
    .updateTable('mail_outbox')
    .set({ problem, ...(isOver ? { dropped_at: at } : { next_attempt_at: new Date(at.getTime() + waitMs) }) })
    .where('company_id', '=', companyId)
    .where('id', '=', mailId)
    .where('sent_at', 'is', null)
    .execute();
  if (!isOver) return;
  // Nobody has it, and the task must not say that somebody can use it.
  if (token !== undefined && error instanceof Undeliverable) await voidToken(tx, companyId, token, at);
  await tell(
    tx,
    {
      ...({ companyId, key: `mail:${mailId}`, severity: 'error', ...(approvalId ? { approvalId } : {}) } as const),
      title: `The mail to ${letter.to.name} did not get through`,
      body: `"${letter.subject}" could not be delivered to ${letter.to.address}. The mail server says: ${problem} ${
        token === undefined
          ? 'They find it under Tasks; correct their address for the next time.'
          : 'Correct the address in the flow for the next time; this time make their link on the task’s page and hand it over, or decide in their place.'
      }`,
    },
    again.never,
  );
}
