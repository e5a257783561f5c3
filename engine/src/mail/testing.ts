import { SMTPServer } from 'smtp-server';

/** A mail as the server got it. */
export interface ReceivedMail {
  readonly to: readonly string[];
  readonly raw: string;
}

/** A mail server on loopback that keeps what it is given, unless it is told to refuse. */
export interface MailServer {
  readonly url: string;
  readonly received: ReceivedMail[];
  /** What it says to our sender, to a recipient, and to a letter once it has it. @default takes everything */
  answers: {
    sender?: () => Error | null;
    recipient?: (address: string) => Error | null;
    letter?: () => Error | null;
  };
  close(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onMailFrom: (_, __, done) => done(mailServer.answers.sender?.() ?? null),
    onRcptTo: ({ address }, _, done) => done(mailServer.answers.recipient?.(address) ?? null),
    onData: (stream, session, done) => {
      let raw = '';
      stream.on('data', (chunk: Buffer) => (raw += chunk.toString()));
      stream.on('end', () => {
        const refusal = mailServer.answers.letter?.() ?? null;
        const to = session.envelope.rcptTo.map(({ address }) => address);
        if (!refusal) mailServer.received.push({ to, raw });
        done(refusal);
      });
    },
  });
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port));
  });
  const mailServer: MailServer = {
    url: `smtp://127.0.0.1:${port}`,
    received: [],
    answers: {},
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return mailServer;
}

/** A refusal with this code, as a server answers it. */
export function says(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** Its parts, decoded as far as our letters need it. */
export function textOf({ raw }: ReceivedMail): string {
  return raw.replaceAll('\r\n', '\n').replaceAll('=\n', '').replaceAll('=3D', '=');
}

/** The token of the link in it; empty without one. */
export function tokenIn(mail: ReceivedMail): string {
  return /\/approve\/([A-Za-z0-9_-]{43})/.exec(textOf(mail))?.[1] ?? '';
}
