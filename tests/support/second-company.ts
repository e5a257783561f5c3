import { createOwner } from '@plumbline/engine/auth/people';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import pg from 'pg';
import type { TestPlatform } from './platform.ts';

/** Makes a company beside the demo's. @returns its owner, signed in. */
export async function secondCompany(up: TestPlatform): Promise<StudioClient> {
  const owner = {
    name: 'Otto Utz',
    email: 'otto@outside.example',
    password: 'a-long-enough-word',
    company: 'Outside Builders',
    slug: 'outside',
  };
  const pool = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
  await createOwner(pool, owner);
  await pool.end();
  const client = new StudioClient(up.origin);
  await client.call('POST', '/api/session', { email: owner.email, password: owner.password });
  return client;
}
