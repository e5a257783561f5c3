import { workerSettingsSchema } from '@plumbline/workflows/settings';
import { z } from 'zod';

const dispatcherUrl = z.url({ protocol: /^postgres(ql)?$/ });

/** What a worker process of ours reads from its environment: what every worker reads, and what dispatching needs. */
export const workerProcessSettingsSchema = workerSettingsSchema.extend({
  PLUMBLINE_DISPATCHER_DATABASE_URL: dispatcherUrl,
  /** Most runs that travel in one Temporal workflow; under light load each has one of its own. */
  PLUMBLINE_CARRIER_RUNS: z.coerce.number().int().min(1).max(100).default(50),
});

/** What the API process reads from its environment, beside what every worker reads. */
export const engineSettingsSchema = workerSettingsSchema.extend({
  PLUMBLINE_HOST: z.string().default('127.0.0.1'),
  PLUMBLINE_PORT: z.coerce.number().int().min(0).max(65_535).default(4400),
  /** Address people and vendors reach us at; every link is built from it, never from a request's Host. */
  PLUMBLINE_ORIGIN: z.url().transform((url) => new URL(url).origin),
  PLUMBLINE_DISPATCHER_DATABASE_URL: dispatcherUrl,
  PLUMBLINE_AUTH_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** Signs sessions; 32 bytes or more. */
  PLUMBLINE_SESSION_SECRET: z.string().min(32),
  /** Links run pages to Temporal's own UI; empty hides the link. */
  PLUMBLINE_TEMPORAL_UI: z.string().default(''),
  /** Demo sign-in, on loopback only. */
  PLUMBLINE_DEMO: z.stringbool().default(false),
  /** Deliveries that one webhook address takes from its sender, by each API process; for moments twice as many. */
  PLUMBLINE_WEBHOOKS_PER_SECOND: z.coerce.number().positive().default(600),
  /** Where mail is handed over, as `smtp://user:password@host:587` or `smtps://…:465`; empty, nothing is sent and admins make links by hand. */
  PLUMBLINE_SMTP_URL: z.union([z.literal(''), z.url({ protocol: /^smtps?$/ })]).default(''),
  /** Whom mail comes from, as `Name <address>`. @default Plumbline <no-reply@…> at the host of `PLUMBLINE_ORIGIN` */
  PLUMBLINE_MAIL_FROM: z
    .string()
    .max(320)
    .regex(/^$|^[^<>@\s]+@[^<>@\s]+$|^[^<>\r\n]+<[^<>@\s]+@[^<>@\s]+>$/, 'is neither an address nor `Name <address>`')
    .default(''),
  /** Whether this process plays the sandboxes; what is done to one is remembered in one process. */
  PLUMBLINE_SANDBOXES: z.stringbool().default(true),
  /** Whether runs are written with their events while the system is idle; otherwise the dispatcher starts all of them. */
  PLUMBLINE_AT_ONCE: z.stringbool().default(true),
});

export type EngineSettings = z.infer<typeof engineSettingsSchema>;

/** Whom mail comes from. */
export function mailFrom({ PLUMBLINE_MAIL_FROM: given, PLUMBLINE_ORIGIN: origin }: EngineSettings): string {
  return given || `Plumbline <no-reply@${new URL(origin).hostname}>`;
}

const placeholders = /^(changeme|change-me|secret|password|example|test)/i;

/**
 * Reasons why production must not start: secrets that are missing or defaults, and anything that exists for demos only.
 * Empty in development.
 */
export function productionProblems(settings: EngineSettings, environment: NodeJS.ProcessEnv): string[] {
  if (settings.PLUMBLINE_MODE !== 'production') return [];
  const problems: string[] = [];
  if (placeholders.test(settings.PLUMBLINE_SESSION_SECRET))
    problems.push('PLUMBLINE_SESSION_SECRET is a placeholder. Make one with: openssl rand -base64 48');
  if (settings.PLUMBLINE_MASTER_KEYS.split(',').some((entry) => /:(A{43}=|.*changeme)/i.test(entry)))
    problems.push('PLUMBLINE_MASTER_KEYS holds a default key. Make one with: openssl rand -base64 32');
  if (!environment['PLUMBLINE_ORIGIN']?.startsWith('https://'))
    problems.push('PLUMBLINE_ORIGIN must be an https address.');
  if (settings.PLUMBLINE_DEMO) problems.push('PLUMBLINE_DEMO must be off: the demo sign-in needs no password.');
  if (settings.PLUMBLINE_SANDBOX_ORIGIN)
    problems.push('PLUMBLINE_SANDBOX_ORIGIN must be empty: production mounts no sandbox.');
  if (settings.PLUMBLINE_ALLOWED_PRIVATE_ORIGINS) problems.push('PLUMBLINE_ALLOWED_PRIVATE_ORIGINS must be empty.');
  if (settings.PLUMBLINE_CRASH_FOLDER) problems.push('PLUMBLINE_CRASH_FOLDER must be empty.');
  for (const name of [
    'PLUMBLINE_APP_DATABASE_URL',
    'PLUMBLINE_DISPATCHER_DATABASE_URL',
    'PLUMBLINE_AUTH_DATABASE_URL',
  ] as const) {
    const password = decodeURIComponent(new URL(settings[name]).password);
    if (password.length < 16 || placeholders.test(password))
      problems.push(`${name} has no password, or a weak one (16 characters at least).`);
  }
  return problems;
}
