import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Where the prebuilt workflow code lies; made by `npm run build`, so that a worker starts in a second instead of four. */
export const bundlePath = fileURLToPath(new URL('../build/workflows.js', import.meta.url));

/** Bundles the workflow code. It must stay small and free of JSONata: a test holds it to both. */
export async function buildBundle(path = bundlePath): Promise<{ readonly path: string; readonly bytes: number }> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error },
  });
  await mkdir(new URL('../build/', import.meta.url), { recursive: true });
  await writeFile(path, code);
  return { path, bytes: Buffer.byteLength(code) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { path, bytes } = await buildBundle();
  console.log(`Workflow code: ${path} (${Math.round(bytes / 1024)} KiB)`);
}
