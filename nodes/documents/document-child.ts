/**
 * The process that reads one document and ends. It gets an empty environment, no right to write or to start anything, and so much memory and time as its
 * parent allows.
 */
import { readPdf, type PdfRequest } from './read-pdf.ts';
import { readXlsx, type XlsxRequest } from './read-xlsx.ts';
import { DocumentRefusal } from './refusal.ts';

process.on('disconnect', () => process.exit(0));
process.once('message', ({ bytes, request }: { bytes: Uint8Array; request: XlsxRequest | PdfRequest }) => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reading: Promise<unknown> = request.kind === 'xlsx' ? readXlsx(buffer, request) : readPdf(buffer);
  reading.then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => {
      const { code, message } =
        error instanceof DocumentRefusal
          ? error
          : { code: 'file_invalid', message: 'The file is damaged. Open it, save it again and retry.' };
      process.send?.({ refusal: { code, message } });
    },
  );
});
process.send?.({ ready: true });
