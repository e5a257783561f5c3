/** `npm run plumbline -- flow …`: flows as files, for git and for pipelines. */
import { readStartOptions } from './start/options.ts';
import { readArguments } from './cli/arguments.ts';
import { exportFlow, importFlow, runFlow, validate, type CommandContext } from './cli/flow-commands.ts';
import { signIn } from './cli/sign-in.ts';
import { CommandError, exitCodes, usage, type ExitCode } from './cli/usage.ts';

const commands = { validate, export: exportFlow, import: importFlow, run: runFlow } as const;

async function main(): Promise<ExitCode> {
  const given = readArguments(process.argv.slice(2), process.env);
  if (given.command === 'help') {
    process.stdout.write(`${usage}`);
    return exitCodes.fine;
  }
  const context: CommandContext = {
    given,
    folder: process.env['INIT_CWD'] ?? process.cwd(),
    say: (text) => void process.stdout.write(`${text}\n`),
    connect: () =>
      signIn({
        ...(given.url ? { url: given.url } : {}),
        ...(given.email ? { email: given.email } : {}),
        password: process.env['PLUMBLINE_PASSWORD'],
        dataDir: readStartOptions([], process.env).dataDir,
      }),
  };
  return await commands[given.command](context);
}

// The door that started it goes: so does it, unfinished, unless it has come to its end.
process.on('disconnect', () => process.exit(process.exitCode ?? exitCodes.failed));
try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof CommandError;
  process.stderr.write(
    `  ${error instanceof Error ? error.message : String(error)}\n${known ? `  ${error.fix}\n` : ''}`,
  );
  process.exitCode = known ? error.code : exitCodes.failed;
}
if (process.connected) process.disconnect();
