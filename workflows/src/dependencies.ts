import { createVault, openStore } from '@plumbline/db';
import { createPublicFetch, loadCatalog } from '@plumbline/nodes';
import { pino, type Logger } from 'pino';
import type { Dependencies } from './activities/dependencies.ts';
import { crashesBy } from './crash-points.ts';
import { Evaluator } from './evaluate/pool.ts';
import { CompanyCodec } from './payload-codec.ts';
import { parseMasterKeys, readOAuthClients, SANDBOX_CLIENT_ID, type WorkerSettings } from './settings.ts';

/** Secrets and whole payloads never reach a log, whoever logs the object they sit in. */
export function createLog(name: string, level: string): Logger {
  return pino({
    name,
    level,
    redact: {
      paths: [
        'accessToken',
        'refreshToken',
        'clientSecret',
        'password',
        'secret',
        '*.accessToken',
        '*.refreshToken',
        '*.clientSecret',
        '*.password',
        '*.secret',
        'headers.authorization',
        'headers.cookie',
        'req.headers',
      ],
      censor: '[secret]',
    },
  });
}

export interface OpenDependencies extends Dependencies {
  readonly codec: CompanyCodec;
  close(): Promise<void>;
}

/** Opens what a worker or an API process works with. */
export async function openDependencies(
  settings: WorkerSettings,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): Promise<OpenDependencies> {
  const store = openStore(settings.PLUMBLINE_APP_DATABASE_URL);
  const vault = createVault({ masterKeys: parseMasterKeys(settings.PLUMBLINE_MASTER_KEYS), store });
  const catalog = await loadCatalog();
  const evaluator = new Evaluator({
    size: settings.PLUMBLINE_EVALUATOR_CHILDREN,
    onKill: (reason) => log.warn(reason, 'an expression was stopped'),
  });
  const { PLUMBLINE_MODE: mode, PLUMBLINE_CRASH_FOLDER: crashes } = settings;
  const crashPoint = mode === 'development' && crashes ? crashesBy(crashes) : undefined;
  const allow = settings.PLUMBLINE_ALLOWED_PRIVATE_ORIGINS.split(',').filter(Boolean);
  return {
    store,
    vault,
    catalog,
    evaluator,
    log,
    now: () => new Date(),
    fetch: globalThis.fetch,
    fetchPublic: createPublicFetch({ allow }),
    ...(settings.PLUMBLINE_SANDBOX_ORIGIN ? { sandboxOrigin: settings.PLUMBLINE_SANDBOX_ORIGIN } : {}),
    ...(settings.PLUMBLINE_SANDBOX_CLIENT_SECRET
      ? { sandboxClient: { clientId: SANDBOX_CLIENT_ID, clientSecret: settings.PLUMBLINE_SANDBOX_CLIENT_SECRET } }
      : {}),
    oauthClients: readOAuthClients(catalog.connectors.keys(), environment),
    ...(crashPoint ? { crashPoint } : {}),
    codec: new CompanyCodec(store, vault),
    close: async () => {
      await evaluator.close();
      await store.close();
    },
  };
}
