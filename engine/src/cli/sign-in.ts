import { StudioClient } from '../demo/studio-client.ts';
import { findRunning } from '../start/running.ts';
import { CommandError, exitCodes } from './usage.ts';

/**
 * A client that is signed in: to the Plumbline at `url`, or the one that runs here.
 * @throws CommandError `unreachable`
 */
export async function signIn(given: {
  readonly url?: string;
  readonly email?: string;
  readonly password: string | undefined;
  readonly dataDir: string;
}): Promise<{ readonly client: StudioClient; readonly origin: string }> {
  const origin = given.url ?? (await findRunning(given.dataDir))?.origin;
  if (!origin)
    throw new CommandError(
      exitCodes.unreachable,
      'No Plumbline runs here.',
      'Start it with "npm start", or name one with --url or PLUMBLINE_URL.',
    );
  const client = new StudioClient(origin);
  if (given.email && !given.password)
    throw new CommandError(
      exitCodes.unreachable,
      `There is no password for ${given.email}.`,
      'Put it into PLUMBLINE_PASSWORD.',
    );
  const answer = await (
    given.email
      ? client.fetch('POST', '/api/session', { email: given.email, password: given.password })
      : client.fetch('POST', '/api/session/demo')
  ).catch((cause: unknown) => {
    throw new CommandError(
      exitCodes.unreachable,
      `${origin} does not answer${cause instanceof Error && cause.cause instanceof Error ? `: ${cause.cause.message}` : '.'}`,
      'Look whether it runs, and whether the address is right.',
    );
  });
  if (!answer.ok)
    throw new CommandError(
      exitCodes.unreachable,
      given.email ? `${origin} did not let ${given.email} in.` : `${origin} has no demo to sign in to.`,
      given.email
        ? 'Check the e-mail and PLUMBLINE_PASSWORD.'
        : 'Give --email, and the password in PLUMBLINE_PASSWORD.',
    );
  return { client, origin };
}
