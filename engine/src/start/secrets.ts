import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '@plumbline/db/start-error';
import { z } from 'zod';

const secretsSchema = z.object({
  /** `id:base64`, newest first, comma-separated. */
  masterKeys: z.string(),
  sessionSecret: z.string().min(32),
  sandboxClientSecret: z.string(),
  appPassword: z.string(),
  dispatcherPassword: z.string(),
  authPassword: z.string(),
});

export type Secrets = z.infer<typeof secretsSchema>;

/**
 * The installation's own secrets, made on the first start and readable by its user only. Losing the file means losing every stored token.
 * @throws StartError `secrets_broken`, `data_dir_unusable`
 */
export async function keepSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
    throw new StartError(
      'data_dir_unusable',
      `The data directory ${dataDir} cannot be made.`,
      'Choose another place with --data-dir.',
      { cause },
    );
  });
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new StartError(
      'secrets_broken',
      `${file} cannot be read: ${cause.message}.`,
      'Give your user the right to read it.',
      { cause },
    );
  });
  if (text === undefined) return await makeSecrets(file);
  await chmod(file, 0o600);
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StartError(
      'secrets_broken',
      `${file} is damaged.`,
      'Put its backup in place. Without it the stored connections cannot be opened; to begin anew, move the data directory away.',
      { cause },
    );
  }
}

async function makeSecrets(file: string): Promise<Secrets> {
  const password = (): string => randomBytes(24).toString('base64url');
  const secrets: Secrets = {
    masterKeys: `k1:${randomBytes(32).toString('base64')}`,
    sessionSecret: randomBytes(48).toString('base64url'),
    sandboxClientSecret: password(),
    appPassword: password(),
    dispatcherPassword: password(),
    authPassword: password(),
  };
  try {
    await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new StartError(
      full ? 'disk_full' : 'data_dir_unusable',
      full ? `The disk under ${file} is full.` : `${file} cannot be written.`,
      full ? 'Free 500 MB, or choose another place with --data-dir.' : 'Choose another place with --data-dir.',
      { cause },
    );
  }
  return secrets;
}
