import { createTransport } from 'nodemailer';

/** A mail as it goes out. */
export interface Letter {
  /** The same for every attempt, so that a mail program shows a repeated one once. */
  readonly messageId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Where mail is handed over. */
export interface PostOffice {
  /** @throws Undeliverable when this letter will never be taken, another error when it may be later */
  send(letter: Letter): Promise<void>;
  close(): void;
}

/** The mail server does not take this letter, and will not. */
export class Undeliverable extends Error {}

/** Hands mail over by SMTP. @param url `smtp://user:password@host:587`, or `smtps://…` */
export function openPostOffice({ url, from }: { readonly url: string; readonly from: string }): PostOffice {
  const transport = createTransport({
    ...{ url, pool: true, maxConnections: 2 },
    ...{ connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 },
    // Nothing of ours is in a file, and nothing is fetched to be put into a mail.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  return {
    send: async (letter) => {
      try {
        await transport.sendMail({ ...letter, from, headers: { 'Auto-Submitted': 'auto-generated' } });
      } catch (error) {
        const { code, responseCode, response, message } = error as Error & {
          code?: string;
          responseCode?: number;
          response?: string;
        };
        // A refusal of the address or of the letter is about this one; that of our sign-in, or of ourselves, is about all of them.
        const isRefused =
          (code === 'EENVELOPE' || code === 'EMESSAGE') && (responseCode === undefined || responseCode >= 500);
        if (isRefused) throw new Undeliverable(response ?? message, { cause: error });
        throw error;
      }
    },
    close: () => transport.close(),
  };
}
