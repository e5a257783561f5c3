import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a ZIP file that is made by hand, and what it says of itself where that is to be wrong. */
export interface MadeEntry {
  readonly name: string;
  readonly data: Buffer;
  readonly claims?: { readonly unpacked?: number; readonly offset?: number; readonly flags?: number };
}

/** A ZIP file of such entries. */
export function makeZip(entries: readonly MadeEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, claims = {} } of entries) {
    const packed = deflateRawSync(data, { level: 9 });
    const title = Buffer.from(name);
    const sizes = Buffer.alloc(22);
    sizes.writeUInt16LE(claims.flags ?? 0, 0);
    sizes.writeUInt16LE(8, 2);
    sizes.writeUInt32LE(crc32(data), 8);
    sizes.writeUInt32LE(packed.length, 12);
    sizes.writeUInt32LE(claims.unpacked ?? data.length, 16);
    sizes.writeUInt16LE(title.length, 20);
    const local = Buffer.concat([Buffer.from('504b03041400', 'hex'), sizes, Buffer.alloc(2), title, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(claims.offset ?? offset, 10);
    directory.push(Buffer.concat([Buffer.from('504b010214001400', 'hex'), sizes, Buffer.alloc(2), tail, title]));
    parts.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A PDF whose pages have these lines of text. */
export function makePdf(pages: readonly (readonly string[])[]): Buffer {
  const kids = pages.map((_, index) => `${4 + 2 * index} 0 R`).join(' ');
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    `<</Type/Pages/Kids[${kids}]/Count ${pages.length}>>`,
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
    ...pages.flatMap((lines, index) => {
      const content = `BT /F1 12 Tf 20 250 Td ${lines.map((line) => `(${line}) Tj 0 -20 Td`).join(' ')} ET`;
      return [
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents ${5 + 2 * index} 0 R/Resources<</Font<</F1 3 0 R>>>>>>`,
        `<</Length ${content.length}>>\nstream\n${content}\nendstream`,
      ];
    }),
  ];
  let text = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = text.length;
    text += `${index + 1} 0 obj${object}endobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  return Buffer.from(
    `${text}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join('')}trailer<</Root 1 0 R/Size ${objects.length + 1}>>\nstartxref\n${text.length}\n%%EOF\n`,
  );
}
