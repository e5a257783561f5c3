import { z } from 'zod';
import { readDocument } from '../documents/read-document.ts';
import { defineAction } from '../sdk/index.ts';
import { asFailure, fileBytes, fileFields } from './file-input.ts';

/**
 * Reads the text of a PDF, page by page. What is only a picture has no text: a scan fails the step, so that nobody goes on with nothing.
 *
 * A file is read in a process of its own: at most 10 MiB, 1,000 pages, 2,000,000 characters, 20 seconds. Nothing in it is run, drawn or fetched.
 *
 * Errors: `file_not_pdf`, `file_encrypted`, `file_too_large`, `base64_invalid`, `pdf_invalid`, `text_missing`, `text_too_large`, `too_many_pages`,
 * `document_too_slow`, `document_too_large`.
 */
export const node = defineAction({
  id: 'core.parse-pdf',
  title: 'Read PDF text',
  description: 'Takes the text out of a PDF, page by page.',
  category: 'Data',
  icon: 'file-text',
  effect: 'read',
  effectFor: ({ from }) => (from === 'address' ? 'read' : 'none'),
  source: 'https://www.iso.org/standard/75839.html',
  input: z.object(fileFields),
  output: z.object({ text: z.string(), pages: z.array(z.string()), count: z.number() }),
  async run({ input, ...context }) {
    const bytes = await fileBytes(input, context);
    const { pages } = await readDocument(bytes, { kind: 'pdf' }, context.signal).catch((error: unknown) => {
      throw asFailure(error);
    });
    return { output: { text: pages.join('\n\n'), pages: [...pages], count: pages.length } };
  },
});
