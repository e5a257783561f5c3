import { createOwner } from '@plumbline/engine/auth/people';
import type { Role } from '@plumbline/engine/contract';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import pg from 'pg';
import type { TestPlatform } from './platform.ts';

/** Somebody who is signed in: of the demo's company, unless it says of which. */
export async function person(
  up: TestPlatform,
  name: string,
  role: Role,
  company = { company: 'Hartwell Homes', slug: 'hartwell-homes' },
): Promise<StudioClient> {
  const pool = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
  const email = `${name.toLowerCase()}@people.example`;
  const password = 'a-long-enough-word';
  await createOwner(pool, { name, email, password, role, ...company });
  await pool.end();
  const client = new StudioClient(up.origin);
  await client.call('POST', '/api/session', { email, password });
  return client;
}
