import { documentLimits as limits } from './limits.ts';
import { DocumentRefusal } from './refusal.ts';

export interface PdfRequest {
  readonly kind: 'pdf';
}

export interface PdfAnswer {
  readonly pages: readonly string[];
}

/**
 * The text of each page, in the order in which it was written there. Pictures are not looked into: a scan has no text.
 * @throws DocumentRefusal `file_not_pdf`, `file_encrypted`, `pdf_invalid`, `too_many_pages`, `text_too_large`, `text_missing`
 */
export async function readPdf(bytes: Buffer): Promise<PdfAnswer> {
  // Some programs write a few bytes before it.
  if (!bytes.subarray(0, 1_024).includes('%PDF-'))
    throw new DocumentRefusal('file_not_pdf', 'The file is no PDF. Send the PDF itself.');
  const { getDocumentProxy } = await import('unpdf');
  // Nothing a document holds is run, drawn or fetched.
  const document = await getDocumentProxy(new Uint8Array(bytes), {
    disableFontFace: true,
    useSystemFonts: false,
    enableXfa: false,
    stopAtErrors: false,
    verbosity: 0,
  }).catch((cause: unknown) => {
    throw cause instanceof Error && cause.name === 'PasswordException'
      ? new DocumentRefusal('file_encrypted', 'The PDF is protected by a password. Save it without one.')
      : new DocumentRefusal('pdf_invalid', 'The PDF is damaged. Open it, save it again and retry.');
  });
  if (document.numPages > limits.pages)
    throw new DocumentRefusal(
      'too_many_pages',
      `The PDF has ${document.numPages} pages, and at most ${limits.pages} are read. Split it.`,
    );
  const pages: string[] = [];
  let length = 0;
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const text = items
      .map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
      .join('')
      .toWellFormed()
      .replaceAll('\0', '');
    page.cleanup();
    pages.push(text);
    length += text.length;
    if (length > limits.text)
      throw new DocumentRefusal('text_too_large', `The PDF has more than ${limits.text} characters. Split it.`);
  }
  if (length === 0)
    throw new DocumentRefusal(
      'text_missing',
      'The PDF has no text: it is probably a scan. Have it read by a program for scans first.',
    );
  return { pages };
}
