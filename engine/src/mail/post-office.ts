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
  const { hostname, password } = new URL(url);
  const transport = createTransport({
    ...{ url, pool: true, maxConnections: 2 },
    // A password does not go out in the clear, whatever somebody in between answers.
    requireTLS: password !== '' && !/^(127\.|localhost$|\[::1\]$)/.test(hostname),
    // After the last line a server may take ten minutes (RFC 5321, 4.5.3.2.6): to give up before would be to send it twice.
    ...{ connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 600_000 },
    // Nothing of ours is in a file, and nothing is fetched to be put into a mail.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  return {
    send: async (letter) => {
      try {
        await transport.sendMail({ ...letter, from, headers: { 'Auto-Submitted': 'auto-generated' } });
      } catch (error) {
        if (isAboutLetter(error as SmtpError))
          throw new Undeliverable((error as SmtpError).response ?? (error as Error).message, { cause: error });
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** Whether the server will never take this letter. What it says against us, our sign-in, our sender or our right to relay, is about all of them and may be put right. */
function isAboutLetter({ code, command, responseCode, response = '', message }: SmtpError): boolean {
  if (responseCode === undefined) return code === 'EENVELOPE' && /recipient/i.test(message);
  const isOurs = /\b5\.7\.|relay|authenticat|tls/i.test(response);
  return (command === 'RCPT TO' || code === 'EMESSAGE') && responseCode >= 550 && !isOurs;
}
