/** The same database as another role. */
export function withUser(url: string, user: string, password: string): string {
  const next = new URL(url);
  next.username = user;
  next.password = encodeURIComponent(password);
  return next.href;
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const next = new URL(url);
  next.pathname = `/${name}`;
  return next.href;
}
