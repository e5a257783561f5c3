import { describe, expect, test } from 'vitest';
import { readSettings } from '@plumbline/workflows/settings';
import { engineSettingsSchema, productionProblems } from './settings.ts';

const good = {
  PLUMBLINE_MODE: 'production',
  PLUMBLINE_ORIGIN: 'https://plumbline.builder.example',
  PLUMBLINE_APP_DATABASE_URL: 'postgres://plumbline_app:Zk3_9fWq7pLx2sVb8t@db/plumbline',
  PLUMBLINE_DISPATCHER_DATABASE_URL: 'postgres://plumbline_dispatcher:Yk3_9fWq7pLx2sVb8t@db/plumbline',
  PLUMBLINE_AUTH_DATABASE_URL: 'postgres://plumbline_auth:Xk3_9fWq7pLx2sVb8t@db/plumbline',
  PLUMBLINE_SESSION_SECRET: '7Hc2nB0xQe9sJt4vKm1wRz6yUa3dFg8p',
  PLUMBLINE_MASTER_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
};

const problemsOf = (change: NodeJS.ProcessEnv): readonly string[] => {
  const environment = { ...good, ...change };
  return productionProblems(readSettings(engineSettingsSchema, environment), environment);
};

describe('production', () => {
  test('starts with good settings', () => {
    expect(problemsOf({})).toEqual([]);
  });

  test.each([
    ['PLUMBLINE_SESSION_SECRET', 'changeme-changeme-changeme-changeme'],
    ['PLUMBLINE_MASTER_KEYS', `k1:${Buffer.alloc(32).toString('base64')}`],
    ['PLUMBLINE_ORIGIN', 'http://plumbline.builder.example'],
    ['PLUMBLINE_DEMO', 'true'],
    ['PLUMBLINE_SANDBOX_ORIGIN', 'https://plumbline.builder.example/sandbox'],
    ['PLUMBLINE_ALLOWED_PRIVATE_ORIGINS', 'http://127.0.0.1:9'],
    ['PLUMBLINE_CRASH_FOLDER', '/tmp/crashes'],
    ['PLUMBLINE_APP_DATABASE_URL', 'postgres://plumbline_app:short@db/plumbline'],
  ])('refuses to start with %s=%s', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  test.each(['PLUMBLINE_SESSION_SECRET', 'PLUMBLINE_MASTER_KEYS', 'PLUMBLINE_ORIGIN', 'PLUMBLINE_AUTH_DATABASE_URL'])(
    'refuses to start without %s',
    (name) => {
      expect(() => problemsOf({ [name]: undefined })).toThrow(name);
    },
  );
});
