import { chromium, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { chromiumAdvice, findChromium } from '../../scripts/chromium.mjs';
import { testPlatform, type TestPlatform } from '../support/platform.ts';

/** How long a page may take to show what it must show. */
export const PATIENCE_MS = 30_000;

export const desktop = { width: 1_440, height: 900 } as const;
export const phone = { width: 360, height: 800 } as const;

/** A platform of its own, and one browser that looks at it. */
export interface Studio extends AsyncDisposable {
  readonly up: TestPlatform;
  /** A window with its own cookies. */
  open(options?: BrowserContextOptions): Promise<Visit>;
  /** A window that is signed in as the demo's owner. */
  openSignedIn(options?: BrowserContextOptions): Promise<Visit>;
}

/** One window, its first page, and everything that went wrong in any of its pages. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors told in the console, errors nobody caught, and requests that failed, since it was asked last. */
  takeTroubles(): readonly string[];
}

/** Brings both up; a Chromium is found as `npm test` finds it. */
export async function openStudio(): Promise<Studio> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(`There is no browser to test with. ${chromiumAdvice}`);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const up = await testPlatform().catch(async (error: unknown) => {
    await browser.close();
    throw error;
  });
  const open = async (options: BrowserContextOptions = {}): Promise<Visit> => {
    const context = await browser.newContext({ viewport: desktop, baseURL: up.origin, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const takeTroubles = watch(context, up.origin);
    return { context, page: await context.newPage(), takeTroubles };
  };
  return {
    up,
    open,
    openSignedIn: async (options) => {
      const visit = await open(options);
      await visit.context.request.post('/api/session/demo', { headers: { Origin: up.origin } });
      return visit;
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await up[Symbol.asyncDispose]();
    },
  };
}

function watch(context: BrowserContext, origin: string): () => readonly string[] {
  let troubles: string[] = [];
  const place = (url: string): string => url.replace(origin, '');
  context.on('console', (message) => {
    // The browser's own word for an answer that is recorded below already.
    if (message.type() !== 'error' || message.text().startsWith('Failed to load resource')) return;
    troubles.push(`console: ${message.text()} (${place(message.page()?.url() ?? '')})`);
  });
  context.on('weberror', (error) => troubles.push(`not caught: ${error.error().stack ?? error.error().message}`));
  context.on('response', (response) => {
    if (response.status() >= 400)
      troubles.push(`${response.request().method()} ${place(response.url())}: ${response.status()}`);
  });
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'failed';
    // The page gave it up itself: it left, or asks for something newer.
    if (reason !== 'net::ERR_ABORTED') troubles.push(`${request.method()} ${place(request.url())}: ${reason}`);
  });
  return () => {
    const taken = troubles;
    troubles = [];
    return taken;
  };
}
