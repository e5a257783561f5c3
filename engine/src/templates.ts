import { readdir, readFile } from 'node:fs/promises';
import { flowDocumentSchema } from '@plumbline/workflows/flow';
import { z } from 'zod';

const manifestSchema = z.strictObject({
  slug: z.string(),
  version: z.int().min(1),
  title: z.string(),
  /** What one gets, in a sentence. */
  outcome: z.string(),
  category: z.string(),
  description: z.string(),
  steps: z.array(z.string()).min(1),
  connectors: z.array(z.string()),
});

export type Template = z.infer<typeof manifestSchema> & { readonly document: z.infer<typeof flowDocumentSchema> };

/** Templates by slug. */
export type TemplateLibrary = ReadonlyMap<string, Template>;

const folder = new URL('../../workflows/templates/', import.meta.url);

/** Reads every folder under `workflows/templates`. @throws when one is not what it should be. */
export async function loadTemplates(): Promise<TemplateLibrary> {
  const templates = new Map<string, Template>();
  for (const slug of (await readdir(folder)).sort()) {
    const read = async (file: string): Promise<unknown> =>
      JSON.parse(await readFile(new URL(`${slug}/${file}`, folder), 'utf8')) as unknown;
    const manifest = manifestSchema.parse(await read('manifest.json'));
    if (manifest.slug !== slug) throw new Error(`The template in folder "${slug}" calls itself "${manifest.slug}"`);
    templates.set(slug, { ...manifest, document: flowDocumentSchema.parse(await read('flow.json')) });
  }
  return templates;
}
