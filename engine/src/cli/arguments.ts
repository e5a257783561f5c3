import { parseArgs } from 'node:util';
import { CommandError, exitCodes } from './usage.ts';

/** A command line, read. */
export interface FlowCommand {
  readonly command: 'validate' | 'export' | 'import' | 'run' | 'help';
  /** Files or flows. */
  readonly targets: readonly string[];
  readonly out?: string;
  readonly version?: number;
  readonly into?: string;
  readonly name?: string;
  readonly dryRun: boolean;
  readonly values: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly url?: string;
  readonly email?: string;
}

const commands = ['validate', 'export', 'import', 'run', 'help'] as const;
const fix = 'Run it with "help" for what there is.';

/** @throws CommandError `usage` naming what is wrong. */
export function readArguments(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): FlowCommand {
  const { values, positionals } = parse(argv);
  const [given = 'help', ...targets] = positionals;
  const command = commands.find((name) => name === given);
  if (!command || values.help) {
    if (values.help) return { command: 'help', targets: [], dryRun: false, values: {}, timeoutMs: 0, json: false };
    throw wrong(`There is no command "${given}".`);
  }
  if (command !== 'help' && targets.length === 0)
    throw wrong(`"${command}" needs ${command === 'validate' || command === 'import' ? 'a file' : 'a flow'}.`);
  if (targets.length > 1 && command !== 'validate')
    throw wrong(`"${command}" takes one, and was given ${targets.length}.`);
  const version = values.version === undefined ? undefined : positive('--version', values.version);
  const url = values.url ?? environment['PLUMBLINE_URL'];
  const email = values.email ?? environment['PLUMBLINE_EMAIL'];
  return {
    command,
    targets,
    ...(values.out ? { out: values.out } : {}),
    ...(version ? { version } : {}),
    ...(values.into ? { into: values.into } : {}),
    ...(values.name ? { name: values.name } : {}),
    dryRun: values['dry-run'] ?? false,
    values: { ...objectOf(values.values), ...pairs(values.value ?? []) },
    timeoutMs: positive('--timeout', values.timeout ?? '300') * 1_000,
    json: values.json ?? false,
    ...(url ? { url: url.replace(/\/$/, '') } : {}),
    ...(email ? { email } : {}),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        out: { type: 'string', short: 'o' },
        version: { type: 'string' },
        into: { type: 'string' },
        name: { type: 'string' },
        'dry-run': { type: 'boolean' },
        value: { type: 'string', multiple: true },
        values: { type: 'string' },
        timeout: { type: 'string' },
        json: { type: 'boolean' },
        url: { type: 'string' },
        email: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
}

/** `lot=12` is the text `12`: a form's values are texts unless `--values` says otherwise. */
function pairs(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw wrong(`"${pair}" is no key=value.`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
}

function objectOf(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below, as for JSON that is no object
  }
  throw wrong('--values is no JSON object.');
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw wrong(`${name} "${text}" is no number above 0.`);
  return Number(text);
}

function wrong(message: string): CommandError {
  return new CommandError(exitCodes.usage, message, fix);
}
