import { randomUUID } from 'node:crypto';
import { hashPassword } from 'better-auth/crypto';
import type { Pool } from 'pg';
import type { Role } from '../contract/index.ts';

export interface Membership {
  readonly companyId: string;
  readonly companyName: string;
  readonly role: Role;
}

/** Companies a person belongs to, by name. */
export async function membershipsOf(pool: Pool, userId: string): Promise<Membership[]> {
  const { rows } = await pool.query<{ companyId: string; companyName: string; role: Role }>(
    `select o.id as "companyId", o.name as "companyName", m.role
       from members m join organizations o on o.id = m."organizationId"
      where m."userId" = $1 order by o.name`,
    [userId],
  );
  return rows;
}

/** Makes a person with a password and a company they own; does nothing when the e-mail is taken. For the demo and for set-up. */
export async function createOwner(
  pool: Pool,
  owner: {
    readonly email: string;
    readonly name: string;
    readonly password: string;
    readonly company: string;
    readonly slug: string;
    readonly role?: Role;
  },
): Promise<{ readonly userId: string; readonly companyId: string; readonly created: boolean }> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('plumbline.create_owner'))`);
    const now = new Date();
    let companyId = (await client.query<{ id: string }>('select id from organizations where slug = $1', [owner.slug]))
      .rows[0]?.id;
    if (!companyId) {
      companyId = randomUUID();
      await client.query('insert into organizations (id, name, slug, "createdAt") values ($1, $2, $3, $4)', [
        companyId,
        owner.company,
        owner.slug,
        now,
      ]);
    }
    let userId = (await client.query<{ id: string }>('select id from users where email = $1', [owner.email])).rows[0]
      ?.id;
    const created = userId === undefined;
    if (!userId) {
      userId = randomUUID();
      await client.query(
        'insert into users (id, name, email, "emailVerified", "createdAt", "updatedAt") values ($1, $2, $3, true, $4, $4)',
        [userId, owner.name, owner.email, now],
      );
      await client.query(
        'insert into accounts (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt") values ($1, $2, $3, $4, $5, $6, $6)',
        [randomUUID(), userId, 'credential', userId, await hashPassword(owner.password), now],
      );
    }
    await client.query(
      `insert into members (id, "organizationId", "userId", role, "createdAt")
       select $1, $2, $3, $4, $5 where not exists (select 1 from members where "organizationId" = $2 and "userId" = $3)`,
      [randomUUID(), companyId, userId, owner.role ?? 'owner', now],
    );
    await client.query('commit');
    return { userId, companyId, created };
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
