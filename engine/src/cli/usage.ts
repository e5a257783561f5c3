/** How a command ended, for scripts that go by it. */
export const exitCodes = {
  fine: 0,
  /** The flow is not valid, or its run failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Plumbline cannot be reached, or lets nobody in. */
  unreachable: 3,
  /** The run waits for a person, or took longer than one wanted to wait. */
  unfinished: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const usage = `npm run plumbline -- flow <command>

  validate <file…>                  says everything that is wrong; needs no server
  export <flow> [--out <file>]      writes a flow as text that diffs; --version <n> takes that version instead of the draft
  import <file> [--into <flow>]     takes it in as a draft, a new flow or that one's; --name <name>, --dry-run. Runs nothing
  run <flow> [--value <key=value>…] starts a flow that begins by hand, and follows it to its end; --values <json>, --timeout <seconds>

  <flow> is its id or its name. --json prints one line for programs.

  --url <address>   PLUMBLINE_URL       the Plumbline to talk to; without it the one that runs here
  --email <email>   PLUMBLINE_EMAIL     who signs in, with the password in PLUMBLINE_PASSWORD; without it the demo's owner

  Exit codes: 0 fine, 1 not valid or failed, 2 wrong usage, 3 no server or no sign-in, 4 waits for a person or takes too long
`;

/** A command ends early, and says why and what to do. */
export class CommandError extends Error {
  readonly code: ExitCode;
  readonly fix: string;

  constructor(code: ExitCode, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}
