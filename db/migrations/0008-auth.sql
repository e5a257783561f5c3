-- Tables of better-auth, in a schema that only its role enters. Column names are the library's own.
-- @see https://www.better-auth.com/docs/concepts/database
create schema auth;
grant usage on schema auth to plumbline_auth;

create table auth.users (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  email text not null unique,
  "emailVerified" boolean not null default false,
  image text,
  "createdAt" timestamptz not null default now(),
  "updatedAt" timestamptz not null default now()
);
create table auth.sessions (
  id uuid primary key default gen_random_uuid(),
  "expiresAt" timestamptz not null,
  token text not null unique,
  "createdAt" timestamptz not null default now(),
  "updatedAt" timestamptz not null default now(),
  "ipAddress" text,
  "userAgent" text,
  "userId" uuid not null references auth.users (id) on delete cascade,
  "activeOrganizationId" text
);
create index sessions_by_user on auth.sessions ("userId");
create table auth.accounts (
  id uuid primary key default gen_random_uuid(),
  "accountId" text not null,
  "providerId" text not null,
  "userId" uuid not null references auth.users (id) on delete cascade,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  scope text,
  password text,
  "createdAt" timestamptz not null default now(),
  "updatedAt" timestamptz not null default now(),
  unique ("providerId", "accountId")
);
create index accounts_by_user on auth.accounts ("userId");
create table auth.verifications (
  id uuid primary key default gen_random_uuid(),
  identifier text not null,
  value text not null,
  "expiresAt" timestamptz not null,
  "createdAt" timestamptz not null default now(),
  "updatedAt" timestamptz not null default now()
);
create index verifications_by_identifier on auth.verifications (identifier);
create table auth.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique,
  logo text,
  "createdAt" timestamptz not null default now(),
  metadata text
);
create table auth.members (
  id uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null references auth.organizations (id) on delete cascade,
  "userId" uuid not null references auth.users (id) on delete cascade,
  role text not null check (role in ('owner', 'admin', 'builder', 'viewer')),
  "createdAt" timestamptz not null default now(),
  unique ("organizationId", "userId")
);
create index members_by_user on auth.members ("userId");
create table auth.invitations (
  id uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null references auth.organizations (id) on delete cascade,
  email text not null,
  role text,
  status text not null,
  "expiresAt" timestamptz not null,
  "createdAt" timestamptz not null default now(),
  "inviterId" uuid not null references auth.users (id) on delete cascade
);
grant select, insert, update, delete on all tables in schema auth to plumbline_auth;

-- An organization of the library is a company of ours: one id, kept in step.
create function auth.mirror_company() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into public.companies (id, name, slug) values (new.id, new.name, new.slug)
  on conflict (id) do update set name = excluded.name, slug = excluded.slug;
  return null;
end $$;
revoke all on function auth.mirror_company() from public;
create trigger organizations_mirror after insert or update of name, slug on auth.organizations for each row execute function auth.mirror_company();

-- The owner is subject to forced row security, too; this lets the mirror write companies and nothing else.
create policy mirror on public.companies to current_user using (true) with check (true);
