import { Workbook } from '@cj-tech-master/excelts';
import { describe, expect, test } from 'vitest';
import { documentLimits } from '../documents/limits.ts';
import { readDocument } from '../documents/read-document.ts';
import { makePdf, makeZip, type MadeEntry } from '../documents/testing.ts';
import { guardZip } from '../documents/zip-guard.ts';
import type { RunContext } from '../sdk/index.ts';
import { node as pdf } from './parse-pdf.ts';
import { node as xlsx } from './parse-xlsx.ts';
import { outputOf } from './testing.ts';

type Fill = (book: Workbook) => void;
async function workbook(fill: Fill): Promise<Buffer> {
  const book = new Workbook();
  fill(book);
  return Buffer.from(await book.xlsx.writeBuffer());
}
const base64 = (bytes: Buffer) => bytes.toString('base64');
const read = async (fill: Fill, more: object = {}) =>
  await outputOf<{ rows: unknown[]; columns: string[]; count: number; sheet: string; sheets: string[] }>(xlsx, {
    data: base64(await workbook(fill)),
    ...more,
  });
const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => 'it was read',
    (error: { code?: string }) => error.code,
  );
const entry = (name: string, data = 'x', claims: MadeEntry['claims'] = {}): MadeEntry => ({
  name,
  data: Buffer.from(data),
  claims,
});

describe('an Excel workbook', () => {
  test('becomes rows: text, numbers, days, times, yes and no, and formulas as the values they had', async () => {
    const output = await read((book) => {
      const sheet = book.addWorksheet('Codes');
      sheet.addRow(['Code', 'Amount', 'Due', 'At', 'Sum', 'Taxed', 'Note', 'Web']);
      sheet.addRow([
        '0012',
        0.1 + 0.2,
        new Date('2026-03-02T00:00:00Z'),
        new Date('2026-03-02T13:45:00Z'),
        { formula: 'B2*2', result: 25 },
        true,
        { richText: [{ text: 'two ' }, { text: 'runs', font: { bold: true } }] },
        { text: 'site', hyperlink: 'https://example.com' },
      ]);
      sheet.addRow([]);
      sheet.addRow(['last', -12.5]);
    });
    expect(output).toMatchObject({
      columns: ['Code', 'Amount', 'Due', 'At', 'Sum', 'Taxed', 'Note', 'Web'],
      count: 2,
      sheet: 'Codes',
    });
    expect(output.rows).toEqual([
      {
        Code: '0012',
        Amount: 0.3,
        Due: '2026-03-02',
        At: '2026-03-02T13:45:00',
        Sum: 25,
        Taxed: true,
        Note: 'two runs',
        Web: 'site',
      },
      { Code: 'last', Amount: -12.5, Due: null, At: null, Sum: null, Taxed: null, Note: null, Web: null },
    ]);
  });

  test.each([[false], [true]])(
    'has numbers that mean what their format says, where days count from 1904: %s',
    async (date1904) => {
      const from = date1904 ? 1_462 : 0;
      const cells: readonly [format: string, value: number | { formula: string; result: number }, read: unknown][] = [
        ['[h]:mm', 26.5 / 24, 26.5],
        ['[h]:mm:ss', 26.5 / 24, 26.5],
        ['[mm]:ss', 1 / 24 / 3, 0.333333333333333],
        ['[h]:mm', { formula: 'SUM(A1:B1)', result: 53 / 24 }, 53],
        ['h:mm', 7.5 / 24, '07:30:00'],
        ['h:mm AM/PM', 19.5 / 24, '19:30:00'],
        ['mm:ss', 90 / 86_400, '00:01:30'],
        ['0\\h', 3, 3],
        ['0.0" days"', 3.123456789012, 3.123456789012],
        ['yyyy\\-mm\\-dd', 46_083 - from, '2026-03-02'],
        ['m/d/yy h:mm', 46_083.3125 - from, '2026-03-02T07:30:00'],
        ['yyyy-mm-dd', { formula: 'TODAY()', result: 46_083 - from }, '2026-03-02'],
      ];
      const { rows } = await read(
        (book) => {
          book.properties.date1904 = date1904;
          const row = book.addWorksheet('A').getRow(1);
          for (const [index, [format, value]] of cells.entries()) {
            row.getCell(index + 1).value = value;
            row.getCell(index + 1).numFmt = format;
          }
        },
        { header: 'none' },
      );
      expect(rows).toEqual([cells.map(([, , cell]) => cell)]);
    },
  );

  test('is read by the sheet that is named, else the first that is shown', async () => {
    const fill: Fill = (book) => {
      book.addWorksheet('Secret', { state: 'hidden' }).addRow(['hidden']);
      book.addWorksheet('First').addRow(['one']);
      book.addWorksheet('Second').addRow(['two']);
    };
    expect(await read(fill, { header: 'none' })).toMatchObject({
      sheet: 'First',
      rows: [['one']],
      sheets: ['First', 'Second'],
    });
    expect(await read(fill, { header: 'none', sheet: 'second' })).toMatchObject({ sheet: 'Second', rows: [['two']] });
    await expect(read(fill, { sheet: 'Third' })).rejects.toMatchObject({
      code: 'sheet_missing',
      message: 'The file has no sheet "Third". It has "First", "Second".',
    });
  });

  test('may have a title above its first row', async () => {
    const output = await read(
      (book) => {
        const sheet = book.addWorksheet('A');
        sheet.addRow(['Cost codes 2026']);
        sheet.addRow([]);
        sheet.addRow(['Code']);
        sheet.addRow(['03-100']);
      },
      { headerRow: 2 },
    );
    expect(output.rows).toEqual([{ Code: '03-100' }]);
  });

  test.each<[string, Fill, object]>([
    [
      'header_duplicate',
      (book) =>
        book.addWorksheet('A').addRows([
          ['a', 'a'],
          [1, 2],
        ]),
      {},
    ],
    ['header_empty', (book) => book.addWorksheet('A').addRows([['a'], [1, 2]]), {}],
    ['reserved_key', (book) => book.addWorksheet('A').addRows([['__proto__'], [1]]), {}],
    ['sheet_empty', (book) => book.addWorksheet('A'), {}],
    ['cell_error', (book) => book.addWorksheet('A').addRows([['a'], [{ error: '#N/A' }]]), {}],
    ['cell_error', (book) => book.addWorksheet('A').addRows([['a'], [{ formula: 'B9' }]]), {}],
    ['too_many_columns', (book) => void (book.addWorksheet('A').getCell('AAA1').value = 'x'), {}],
  ])('is refused with %s, and the place is named', async (code, fill, more) => {
    await expect(read(fill, more)).rejects.toMatchObject({ kind: 'invalid', code });
  });

  test('leaves cells with errors empty where it is asked to', async () => {
    const fill: Fill = (book) =>
      book.addWorksheet('A').addRows([
        ['a', 'b'],
        [{ error: '#N/A' }, 1],
      ]);
    expect((await read(fill, { errors: 'empty' })).rows).toEqual([{ a: null, b: 1 }]);
  });

  test.each([
    ['file_not_xlsx', base64(Buffer.from('Code,Account\n1,2\n'))],
    ['file_not_xlsx', base64(Buffer.from('d0cf11e0a1b11ae1', 'hex'))],
    ['file_not_xlsx', base64(makeZip([entry('readme.txt')]))],
    ['archive_invalid', base64(Buffer.from('PK and nothing more'))],
    ['file_invalid', base64(makeZip([entry('[Content_Types].xml', '<a'), entry('xl/workbook.xml', '<w><broken')]))],
    ['base64_invalid', 'no base64 at all!'],
    ['required_missing', ''],
    ['file_too_large', base64(Buffer.alloc(documentLimits.fileBytes + 1, 'PK'))],
  ])('%s is said of what is none', async (code, data) => {
    const found = await codeOf(outputOf(xlsx, { data }));
    // A damaged workbook may also come out as one without a sheet.
    expect(code === 'file_invalid' ? ['file_invalid', 'sheet_missing'] : [code]).toContain(found);
  });

  test('of 20,000 rows is read while the worker’s own time goes on', async () => {
    const bytes = await workbook((book) => {
      const sheet = book.addWorksheet('Many');
      sheet.addRow(['code', 'account', 'amount']);
      for (let index = 0; index < 20_000; index++) sheet.addRow([`c${index}`, `5${index % 100}`, index / 4]);
    });
    let longest = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 10);
    const answer = await readDocument(bytes, { kind: 'xlsx', sheet: '', errors: 'stop' });
    clearInterval(beat);
    expect(answer.rows).toHaveLength(20_001);
    expect(longest).toBeLessThan(500);
  });

  test('with too many rows is stopped at the first that is too many', async () => {
    const row = (number: number) =>
      `<row r="${number}"><c r="A${number}" t="inlineStr"><is><t>${number}</t></is></c></row>`;
    const rows = Array.from({ length: documentLimits.rows + 2 }, (_, index) => row(index + 1)).join('');
    expect(await codeOf(outputOf(xlsx, { data: base64(sheetOf(`<sheetData>${rows}</sheetData>`)) }))).toBe(
      'too_many_rows',
    );
  });

  test('does not unpack what a hostile sheet makes large in memory', async () => {
    // An entity that grows a billionfold, as XML knows it.
    const bomb = `<!DOCTYPE x [${'abcdefghi'
      .split('')
      .map((name, index) => `<!ENTITY ${name} "${index === 0 ? 'ha' : `&${'abcdefghi'[index - 1]};`.repeat(10)}">`)
      .join('')}]>`;
    const sheet = sheetOf(
      '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row></sheetData>',
      bomb,
    );
    const began = performance.now();
    expect(await codeOf(outputOf(xlsx, { data: base64(sheet), header: 'none' }))).not.toBe(undefined);
    expect(performance.now() - began).toBeLessThan(documentLimits.ms);
  });

  test('comes from an address too, never more than a file may have', async () => {
    const bytes = await workbook((book) => book.addWorksheet('A').addRows([['a'], [1]]));
    const from = (answer: Response) =>
      xlsx.run?.({
        input: xlsx.input.parse({ from: 'address', url: 'https://files.example/a.xlsx' }),
        fetchPublic: () => Promise.resolve(answer),
        now: () => new Date(),
        signal: AbortSignal.timeout(20_000),
      } as unknown as RunContext<never>) ?? Promise.reject(new Error('It does not run'));
    expect((await from(new Response(new Uint8Array(bytes)))).output).toMatchObject({ rows: [{ a: 1 }] });
    expect(await codeOf(from(new Response(new Uint8Array(documentLimits.fileBytes + 1))))).toBe('file_too_large');
    await expect(from(new Response('', { status: 404 }))).rejects.toMatchObject({ kind: 'not_found' });
    await expect(from(new Response('', { status: 503 }))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

function sheetOf(inner: string, before = ''): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const types = 'http://schemas.openxmlformats.org/package/2006';
  return makeZip([
    entry(
      '[Content_Types].xml',
      `<Types xmlns="${types}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
    ),
    entry(
      '_rels/.rels',
      `<Relationships xmlns="${types}/relationships"><Relationship Id="r1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ),
    entry(
      'xl/workbook.xml',
      `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>`,
    ),
    entry(
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${types}/relationships"><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    ),
    entry('xl/worksheets/sheet1.xml', `<?xml version="1.0"?>${before}<worksheet xmlns="${main}">${inner}</worksheet>`),
  ]);
}

describe('a ZIP file', () => {
  const guard = (bytes: Buffer): unknown => {
    try {
      return guardZip(bytes).map(({ name }) => name);
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  test('that is sound passes, by the names in it', () => {
    expect(guard(makeZip([entry('a.xml'), entry('b/c.xml', 'y'.repeat(5_000))]))).toEqual(['a.xml', 'b/c.xml']);
  });

  test.each<[string, MadeEntry[]]>([
    ['archive_ratio', [{ name: 'zeros', data: Buffer.alloc(20 * 1024 * 1024) }]],
    ['archive_ratio', [entry('liar', 'x'.repeat(100_000), { unpacked: 10 })]],
    ['archive_ratio', [entry('braggart', 'x', { unpacked: 900_000 })]],
    ['archive_ratio', [entry('huge', 'x', { unpacked: 0xfffffff0 })]],
    ['archive_ratio', Array.from({ length: 1_001 }, (_, index) => entry(`${index}`))],
    ['archive_invalid', [entry('a', 'x'.repeat(100)), entry('b', 'x'.repeat(100), { offset: 0 })]],
    ['archive_invalid', [entry('a', 'x', { offset: 5_000 })]],
    ['archive_path', [entry('../../etc/passwd')]],
    ['archive_path', [entry('/etc/passwd')]],
    ['archive_path', [entry('C:\\windows\\x')]],
    ['archive_encrypted', [entry('a', 'x', { flags: 1 })]],
  ])('is refused with %s', (code, entries) => {
    const began = performance.now();
    expect(guard(makeZip(entries))).toBe(code);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('cut anywhere, or with any byte changed, is refused or read, and never throws anything else', () => {
    const whole = makeZip([entry('a.xml', 'some text'), entry('b.xml', 'y'.repeat(300))]);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      for (const bytes of [whole.subarray(0, at), changed])
        expect(Array.isArray(guard(bytes)) || String(guard(bytes)).startsWith('archive_')).toBe(true);
    }
  });
});

describe('a PDF', () => {
  const text = (bytes: Buffer) =>
    outputOf<{ text: string; pages: string[]; count: number }>(pdf, { data: base64(bytes) });

  test('gives its text page by page', async () => {
    expect(await text(makePdf([['Invoice A-17', 'Total 1,250.00'], ['Second page']]))).toEqual({
      text: 'Invoice A-17\nTotal 1,250.00\n\nSecond page',
      pages: ['Invoice A-17\nTotal 1,250.00', 'Second page'],
      count: 2,
    });
  });

  test.each([
    ['file_not_pdf', Buffer.from('<html>')],
    ['pdf_invalid', Buffer.from('%PDF-1.4\nand nothing more')],
    ['text_missing', makePdf([[]])],
  ])('is refused with %s', async (code, bytes) => {
    expect(await codeOf(text(bytes))).toBe(code);
  });

  test('whose pages lead in a circle is refused and not followed for ever', async () => {
    const circle = makePdf([['x']])
      .toString('latin1')
      .replace('/Kids[4 0 R]', '/Kids[2 0 R]');
    const began = performance.now();
    expect(typeof (await codeOf(text(Buffer.from(circle, 'latin1'))))).toBe('string');
    expect(performance.now() - began).toBeLessThan(documentLimits.ms + 5_000);
  });
});

test('reading is given up with its step', async () => {
  const bytes = makePdf(Array.from({ length: 200 }, (_, index) => [`Page ${index}`]));
  const given = new AbortController();
  const reading = readDocument(bytes, { kind: 'pdf' }, given.signal);
  given.abort(new Error('The step is over'));
  await expect(reading).rejects.toThrow('The step is over');
});
