import { fork } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentLimits as limits } from './limits.ts';
import type { PdfAnswer, PdfRequest } from './read-pdf.ts';
import type { XlsxAnswer, XlsxRequest } from './read-xlsx.ts';
import { DocumentRefusal } from './refusal.ts';

const childPath = fileURLToPath(new URL('./document-child.ts', import.meta.url));
/** So many at once; a file that is read takes a processor for itself. */
const AT_ONCE = 2;
const WATCH_MS = 100;

type Answer<R> = R extends XlsxRequest ? XlsxAnswer : PdfAnswer;

let reading = 0;
const line: (() => void)[] = [];

/**
 * Reads a document in a process of its own, which is killed when it takes too long or too much memory: what is in a file may be made to do both, and the
 * worker's other steps must not feel it.
 * @throws DocumentRefusal what is wrong with the file; `document_too_slow` and `document_too_large` when it was killed
 */
export async function readDocument<R extends XlsxRequest | PdfRequest>(
  bytes: Buffer,
  request: R,
  signal?: AbortSignal,
): Promise<Answer<R>> {
  if (bytes.length > limits.fileBytes)
    throw new DocumentRefusal(
      'file_too_large',
      `The file is larger than ${limits.fileBytes / 1024 / 1024} MiB. Send it in parts.`,
    );
  if (reading >= AT_ONCE) await new Promise<void>((go) => line.push(go));
  else reading++;
  try {
    return await inChild(bytes, request, signal);
  } finally {
    const next = line.shift();
    // Whoever comes next takes the place over.
    if (next) next();
    else reading--;
  }
}

function inChild<R extends XlsxRequest | PdfRequest>(
  bytes: Buffer,
  request: R,
  signal: AbortSignal | undefined,
): Promise<Answer<R>> {
  return new Promise((resolve, reject) => {
    const child = fork(childPath, {
      env: {},
      execArgv: childFlags(),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let ended = false;
    const end = (act: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(tooSlow);
      clearInterval(watching);
      signal?.removeEventListener('abort', stop);
      child.kill('SIGKILL');
      act();
    };
    const refuse = (code: string, message: string) => end(() => reject(new DocumentRefusal(code, message)));
    const stop = () => end(() => reject(signal?.reason as Error));
    const tooSlow = setTimeout(
      () =>
        refuse(
          'document_too_slow',
          `The file takes longer than ${limits.ms / 1_000} seconds to read. Send it in parts.`,
        ),
      limits.ms,
    );
    const watching = setInterval(() => {
      void memoryMb(child.pid).then((used) => {
        if (used > limits.memoryMb) refuse('document_too_large', tooMuch);
      });
    }, WATCH_MS);
    if (signal?.aborted) return stop();
    signal?.addEventListener('abort', stop);
    child.on(
      'message',
      (message: { ready?: true; answer?: unknown; refusal?: { readonly code: string; readonly message: string } }) => {
        if (message.ready) child.send({ bytes, request });
        else if (message.refusal) refuse(message.refusal.code, message.refusal.message);
        else end(() => resolve(message.answer as Answer<R>));
      },
    );
    child.once('error', (error) => end(() => reject(error)));
    child.once('exit', () => refuse('document_too_large', tooMuch));
  });
}

/** It reads its own code and the libraries', and nothing else; the file comes through the channel. */
function childFlags(): string[] {
  const here = dirname(realpathSync(childPath));
  const packageFolder = (name: string): string => {
    const entry = realpathSync(fileURLToPath(import.meta.resolve(name)));
    return entry.slice(0, entry.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
  };
  const readable = [
    here,
    join(here, '..', 'package.json'),
    packageFolder('@cj-tech-master/excelts'),
    packageFolder('unpdf'),
  ];
  return [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    `--max-old-space-size=${limits.heapMb}`,
    '--no-warnings',
  ];
}

const tooMuch = 'Reading the file takes more memory than there is for it. Send it in parts.';

/** What a process holds, its unpacked data included, where the system says so (Linux); elsewhere its heap's own limit has to do. */
async function memoryMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return (Number(status.split(' ')[1] ?? 0) * 4096) / 1024 / 1024;
}
