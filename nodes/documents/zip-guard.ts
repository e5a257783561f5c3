import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { documentLimits as limits } from './limits.ts';
import { DocumentRefusal } from './refusal.ts';

const END = 0x06054b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/** One part of a file, as it was found sound. */
export interface ZipPart {
  readonly name: string;
  /** Unpacks it; it has the size that it declared. */
  content(): Buffer;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly offset: number;
}

/**
 * Looks through a ZIP file before anything else unpacks it: how many entries, how large they say they are, whether they lie, whether they share bytes, and
 * what they are called. Every entry is unpacked here once, with its declared size as the limit, so that what is declared is what comes.
 * @throws DocumentRefusal `archive_invalid`, `archive_ratio`, `archive_path`, `archive_encrypted`
 */
export function guardZip(bytes: Buffer): readonly ZipPart[] {
  const entries = readDirectory(bytes);
  const unpacked = entries.reduce((sum, entry) => sum + entry.unpacked, 0);
  if (unpacked > limits.unpackedBytes || (unpacked > limits.ratioFromBytes && unpacked > limits.ratio * bytes.length))
    throw new DocumentRefusal(
      'archive_ratio',
      `The file is ${size(bytes.length)} and would unpack to ${size(unpacked)}; at most ${size(limits.unpackedBytes)} and ${limits.ratio} times as much are read. Save it again with a spreadsheet program, or in parts.`,
    );
  let end = 0;
  const parts = new Map<Entry, ZipPart>();
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    requirePath(entry.name);
    const { from, data } = contentOf(bytes, entry);
    if (from < end) throw broken('two of its parts share the same bytes');
    end = from + data.length;
    requireSize(entry, data);
    parts.set(entry, {
      name: entry.name,
      content: () => (entry.method === STORED ? data : inflateRawSync(data, { maxOutputLength: entry.unpacked })),
    });
  }
  return entries.flatMap((entry) => parts.get(entry) ?? []);
}

/** A ZIP file of such parts, in this order: what reads it from front to back meets nothing that the directory does not have. */
export function packZip(parts: readonly Pick<ZipPart, 'name' | 'content'>[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of parts) {
    const data = content();
    const packed = deflateRawSync(data, { level: 1 });
    const title = Buffer.from(name);
    // Flags, method, time, day, checksum, sizes, length of the name, no extra: the same in both places.
    const facts = Buffer.alloc(24);
    facts.writeUInt16LE(DEFLATED, 2);
    facts.writeUInt32LE(crc32(data), 8);
    facts.writeUInt32LE(packed.length, 12);
    facts.writeUInt32LE(data.length, 16);
    facts.writeUInt16LE(title.length, 20);
    const local = Buffer.alloc(6);
    local.writeUInt32LE(LOCAL, 0);
    local.writeUInt16LE(20, 4);
    const listed = Buffer.alloc(8);
    listed.writeUInt32LE(DIRECTORY, 0);
    listed.writeUInt16LE(20, 4);
    listed.writeUInt16LE(20, 6);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    files.push(local, facts, title, packed);
    directory.push(listed, facts, place, title);
    offset += local.length + facts.length + title.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

function readDirectory(bytes: Buffer): Entry[] {
  const at = findEnd(bytes);
  const count = bytes.readUInt16LE(at + 10);
  let place = bytes.readUInt32LE(at + 16);
  if (bytes.readUInt16LE(at + 4) !== 0 || count === 0xffff || place === 0xffffffff)
    throw broken('it comes in several volumes, or is larger than any spreadsheet');
  if (count > limits.entries)
    throw new DocumentRefusal(
      'archive_ratio',
      `The file has ${count} parts, and at most ${limits.entries} are read. Save it again with a spreadsheet program.`,
    );
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    if (place + 46 > bytes.length || bytes.readUInt32LE(place) !== DIRECTORY) throw broken('its directory is damaged');
    const nameLength = bytes.readUInt16LE(place + 28);
    if (bytes.readUInt16LE(place + 8) & 1)
      throw new DocumentRefusal('archive_encrypted', 'The file is protected by a password. Save it without one.');
    entries.push({
      name: bytes.toString('utf8', place + 46, place + 46 + nameLength),
      method: bytes.readUInt16LE(place + 10),
      packed: bytes.readUInt32LE(place + 20),
      unpacked: bytes.readUInt32LE(place + 24),
      offset: bytes.readUInt32LE(place + 42),
    });
    place += 46 + nameLength + bytes.readUInt16LE(place + 30) + bytes.readUInt16LE(place + 32);
  }
  return entries;
}

/** The last record of the file; a comment of up to 64 KiB may follow it. */
function findEnd(bytes: Buffer): number {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 0xffff); at--)
    if (bytes.readUInt32LE(at) === END && at + 22 + bytes.readUInt16LE(at + 20) === bytes.length) return at;
  throw broken('it has no end');
}

function contentOf(bytes: Buffer, { offset, packed }: Entry): { readonly from: number; readonly data: Buffer } {
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== LOCAL) throw broken('its directory is damaged');
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  if (start + packed > bytes.length) throw broken('it ends too early');
  return { from: offset, data: bytes.subarray(offset, start + packed).subarray(start - offset) };
}

function requireSize({ name, method, unpacked }: Entry, data: Buffer): void {
  if (method === STORED && data.length === unpacked) return;
  if (method !== DEFLATED) throw broken(`"${shown(name)}" is packed in a way that is not read`);
  try {
    // One byte more than declared is room enough to see a lie; less is one too.
    if (inflateRawSync(data, { maxOutputLength: unpacked + 1 }).length === unpacked) return;
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    if (cause.code !== 'ERR_BUFFER_TOO_LARGE') throw broken(`"${shown(name)}" is damaged`);
  }
  throw new DocumentRefusal(
    'archive_ratio',
    `"${shown(name)}" in the file is larger or smaller than the file says. Save it again with a spreadsheet program.`,
  );
}

function requirePath(name: string): void {
  if (!/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\0/.test(name)) return;
  throw new DocumentRefusal(
    'archive_path',
    `The file has a part called "${shown(name)}", which leads out of it. It is not read.`,
  );
}

function broken(why: string): DocumentRefusal {
  return new DocumentRefusal('archive_invalid', `The file is damaged: ${why}. Open it, save it again and retry.`);
}

function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 60);
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 / 1024)} MiB`;
}
