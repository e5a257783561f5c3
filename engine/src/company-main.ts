/**
 * Makes a company and its first owner; the password is read from standard input:
 * `node engine/src/company-main.ts --company "Hartwell Homes" --name "Dana Hartwell" --email dana@hartwell.example < password`
 */
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createPool } from '@plumbline/db';
import { readSettings } from '@plumbline/workflows/settings';
import { z } from 'zod';
import { createOwner } from './auth/people.ts';

const { values } = parseArgs({
  options: { company: { type: 'string' }, name: { type: 'string' }, email: { type: 'string' } },
});
const owner = readSettings(
  z.object({
    company: z.string().trim().min(1).max(120),
    name: z.string().trim().min(1).max(120),
    email: z.email(),
    password: z.string().min(10, 'Give ten characters or more on standard input'),
  }),
  { ...values, password: (await text(process.stdin)).trimEnd() } as NodeJS.ProcessEnv,
);
const settings = readSettings(z.object({ PLUMBLINE_AUTH_DATABASE_URL: z.url() }), process.env);
const slug = owner.company
  .toLowerCase()
  .replace(/[^a-z0-9]+/g, '-')
  .replace(/^-|-$/g, '');
const pool = createPool(settings.PLUMBLINE_AUTH_DATABASE_URL, { searchPath: 'auth', max: 1 });
const { companyId, created } = await createOwner(pool, { ...owner, slug });
await pool.end();
console.log(
  created
    ? `${owner.company} (${companyId}) belongs to ${owner.email}.`
    : `${owner.email} was known already and now belongs to ${owner.company} (${companyId}).`,
);
