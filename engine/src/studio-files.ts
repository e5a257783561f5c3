import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';

const folder = fileURLToPath(new URL('../../studio/build', import.meta.url));

/** The built studio: hashed files for ever, the page itself never cached; every other path is the page. */
export function studioFiles() {
  const app = new Hono();
  if (!existsSync(folder)) {
    app.get('*', (c) => c.html('<p>The studio is not built. Run <code>npm run build</code>.</p>', 503));
    return app;
  }
  // The address of this page is a secret that decides: it is told to nobody, kept nowhere, and drawn in no other site's frame.
  // Outside of the next, so that it has the last word.
  app.use('/approve/*', async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('X-Robots-Tag', 'noindex, nofollow');
    c.header('X-Frame-Options', 'DENY');
    c.header(
      'Content-Security-Policy',
      "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    );
  });
  app.use('*', async (c, next) => {
    await next();
    c.header(
      'Cache-Control',
      c.req.path.startsWith('/_app/immutable/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
  });
  app.use('*', serveStatic({ root: folder, precompressed: false }));
  app.get('*', async (c) => {
    if (/\.[a-z0-9]{2,5}$/.test(c.req.path)) return c.notFound();
    return c.html(await readFile(`${folder}/index.html`, 'utf8'));
  });
  return app;
}
