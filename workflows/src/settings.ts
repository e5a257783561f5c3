import { z } from 'zod';

/** What a worker reads from its environment. The engine's settings extend it. */
export const workerSettingsSchema = z.object({
  PLUMBLINE_MODE: z.enum(['development', 'production']).default('development'),
  /** Connection string of the role `plumbline_app`. */
  PLUMBLINE_APP_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  /** Master keys as `id:base64`, newest first, comma-separated; each 32 bytes. */
  PLUMBLINE_MASTER_KEYS: z.string(),
  /** Where sandboxes are mounted; empty in production. */
  PLUMBLINE_SANDBOX_ORIGIN: z.string().optional(),
  PLUMBLINE_SANDBOX_CLIENT_SECRET: z.string().optional(),
  /** Exact origins the http request step may reach although they are private, comma-separated. Refused in production. */
  PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: z.string().default(''),
  PLUMBLINE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  PLUMBLINE_EVALUATOR_CHILDREN: z.coerce.number().int().min(1).max(16).default(2),
  /** The workflow code, bundled; by default what `npm run build` made. Whoever rolls out workers by hand puts another one there first. */
  PLUMBLINE_WORKFLOW_BUNDLE: z.string().optional(),
  /** Only in tests: a folder whose files name points at which a process kills itself. */
  PLUMBLINE_CRASH_FOLDER: z.string().optional(),
});

export type WorkerSettings = z.infer<typeof workerSettingsSchema>;

/** A setting is missing or wrong; the message lists all of them at once. */
export class SettingsError extends Error {}

/** @throws SettingsError naming every wrong variable. */
export function readSettings<T extends z.ZodType>(schema: T, environment: NodeJS.ProcessEnv): z.infer<T> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new SettingsError(`These settings are missing or wrong:\n${lines.join('\n')}`);
}

/** `id:base64,id:base64` → keys, newest first. */
export function parseMasterKeys(text: string): { readonly id: string; readonly key: Buffer }[] {
  return text.split(',').map((entry) => {
    const [id = '', encoded = ''] = entry.trim().split(':');
    const key = Buffer.from(encoded, 'base64');
    if (!/^[\w-]{1,32}$/.test(id) || key.length !== 32)
      throw new SettingsError(
        'PLUMBLINE_MASTER_KEYS: each key is written id:base64 and has 32 bytes. Make one with: openssl rand -base64 32',
      );
    return { id, key };
  });
}

/** Our applications at the vendors: `PLUMBLINE_<CONNECTOR>_CLIENT_ID` and `…_CLIENT_SECRET`. */
export function readOAuthClients(
  connectors: Iterable<string>,
  environment: NodeJS.ProcessEnv,
): Record<string, { clientId: string; clientSecret: string }> {
  const clients: Record<string, { clientId: string; clientSecret: string }> = {};
  for (const id of connectors) {
    const prefix = `PLUMBLINE_${id.toUpperCase().replaceAll('-', '_')}_CLIENT`;
    const clientId = environment[`${prefix}_ID`];
    const clientSecret = environment[`${prefix}_SECRET`];
    if (clientId && clientSecret) clients[id] = { clientId, clientSecret };
  }
  return clients;
}

/** Client id that every sandbox knows us by. */
export const SANDBOX_CLIENT_ID = 'plumbline-sandbox';
