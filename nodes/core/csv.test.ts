import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node as format } from './format-csv.ts';
import { node as parse } from './parse-csv.ts';
import { manyRows, outputOf, run, timed } from './testing.ts';

describe('CSV text', () => {
  test.each([
    ['a header and rows', { text: 'number,total\r\n0012,12.50\r\n' }, [{ number: '0012', total: '12.50' }]],
    ['quotes, commas and lines in cells', { text: 'a,b\n"x, ""y""","1\n2"\n' }, [{ a: 'x, "y"', b: '1\n2' }]],
    ['semicolons', { text: 'a;b\n1,5;2\n', delimiter: 'semicolon' }, [{ a: '1,5', b: '2' }]],
    ['tabs', { text: 'a\tb\n1\t2\n', delimiter: 'tab' }, [{ a: '1', b: '2' }]],
    ['bars', { text: 'a|b\n1|2\n', delimiter: 'pipe' }, [{ a: '1', b: '2' }]],
    ['a byte order mark', { text: '\uFEFFa\n1\n' }, [{ a: '1' }]],
    [
      'blank lines',
      { text: 'a,b\n\n1,2\n\n\n3,4' },
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'old and mixed ends of lines',
      { text: 'a,b\r1,2\n3,4\r\n' },
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['spaces, kept', { text: 'a , b\n 1 , 2\n' }, [{ a: ' 1 ', b: ' 2' }]],
    ['spaces, removed', { text: 'a , b\n 1 , 2\n', trim: true }, [{ a: '1', b: '2' }]],
    ['empty cells', { text: 'a,b\n,\n' }, [{ a: '', b: '' }]],
    [
      'a column with a name that every object has',
      { text: 'toString,hasOwnProperty\n1,2\n' },
      [{ toString: '1', hasOwnProperty: '2' }],
    ],
    ['only a header', { text: 'a,b\n' }, []],
    ['nothing at all', { text: '' }, []],
  ])('is read with %s', async (_name, input, rows) => {
    expect(await outputOf(parse, input)).toMatchObject({ rows, count: rows.length });
  });

  test('without a header has rows of cells', async () => {
    expect(await outputOf(parse, { text: '1,2\n3,4\n', header: 'none' })).toEqual({
      rows: [
        ['1', '2'],
        ['3', '4'],
      ],
      columns: [],
      count: 2,
    });
  });

  test.each([
    ['a quote that is never closed', { text: 'a,b\n1,2\n3,"x\n5,6\n' }, 'csv_invalid', /^Row 3, column 2: the quote/],
    ['a quote inside a cell', { text: 'a,b\n1,x"y\n' }, 'csv_invalid', /^Row 2, column 2 has a quote/],
    ['text behind a quote', { text: 'a,b\n"1"x,2\n' }, 'csv_invalid', /^Row 2, column 1 has a quote/],
    ['a row that is longer', { text: 'a,b\n1,2\n1,2,3\n' }, 'row_length', /^Row 3 has 3 cells, but row 1 has 2/],
    ['a row that is shorter', { text: 'a,b\n1\n' }, 'row_length', /^Row 2 has 1 cell, but/],
    [
      'a row behind blank lines that is longer',
      { text: 'a,b\n\n\n1,2,3\n' },
      'row_length',
      /^Row 4 has 3 cells, but row 1 has 2/,
    ],
    [
      'a row behind a cell of three lines that is longer',
      { text: 'a,b\n"x\n\ny",2\n1,2,3\n' },
      'row_length',
      /^Row 3 has 3 cells/,
    ],
    [
      'a header behind blank lines, and a row that is shorter',
      { text: '\r\n\r\na,b\r\n1\r\n' },
      'row_length',
      /^Row 4 has 1 cell, but row 3 has 2/,
    ],
    ['a quote inside a cell behind blank lines', { text: 'a,b\n\n\n1,x"y\n' }, 'csv_invalid', /^Row 4, column 2/],
    ['an open quote behind blank lines', { text: 'a,b\n\n\n1,"x\n' }, 'csv_invalid', /^Row 4, column 2/],
    ['a NUL behind blank lines', { text: 'a,b\n\n\n1,x\0\n' }, 'unsupported_character', /^Row 4, column 2/],
    [
      'a column without a name behind a blank line',
      { text: '\na,\n1,2\n' },
      'header_empty',
      /^Column 2 has no name in row 2/,
    ],
    ['a column without a name', { text: 'a,,c\n1,2,3\n' }, 'header_empty', /^Column 2/],
    [
      'two columns of one name',
      { text: 'a,b, a\n1,2,3\n' },
      'header_duplicate',
      /^Columns 1 and 3 are both called "a"/,
    ],
    ['a reserved column', { text: 'a,__proto__\n1,2\n' }, 'reserved_key', /^Column 2 is called "__proto__"/],
    ['a NUL', { text: 'a,b\n1,x\0y\n' }, 'unsupported_character', /^Row 2, column 2/],
    ['UTF-16 read as UTF-8', { text: 'a\0,\0b\0\n' }, 'unsupported_character', /UTF-8/],
    ['bytes that were no UTF-8', { text: 'a,b\n1,M\uFFFDller\n' }, 'unsupported_character', /^Row 2, column 2/],
    ['a cell without end', { text: `a,b\n1,${'x'.repeat(40_000)}\n` }, 'cell_too_large', /^Row 2, column 2/],
    ['a line without end', { text: `a,b\n1,"${'x'.repeat(2_000_000)}` }, 'cell_too_large', /^Row 2, column 2/],
    ['100,000 columns', { text: ','.repeat(100_000) }, 'too_many_columns', /^Row 1 has more than 500 columns/],
    ['100,001 rows', { text: `a\n${'1\n'.repeat(100_001)}` }, 'too_many_rows', /100000 rows/],
  ])('with %s is refused, and the place is named', async (_name, input, code, message) => {
    await expect(run(parse, input)).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('rows as CSV', () => {
  test.each([
    ['all fields, in the order they come', { list: [{ a: 1 }, { b: 'x', a: null }] }, 'a,b\r\n1,\r\n,x\r\n'],
    [
      'chosen columns with headings',
      { list: [{ a: 1, v: { n: 'x' } }], columns: [{ field: 'v.n', title: 'Vendor' }, { field: 'a' }] },
      'Vendor,a\r\nx,1\r\n',
    ],
    [
      'quotes where they are needed',
      { list: [{ a: 'x,y', b: 'say "hi"', c: '1\n2' }] },
      'a,b,c\r\n"x,y","say ""hi""","1\n2"\r\n',
    ],
    ['semicolons', { list: [{ a: '1;2', b: true }], delimiter: 'semicolon' }, 'a;b\r\n"1;2";true\r\n'],
    ['no header', { list: [{ a: 1 }], header: false }, '1\r\n'],
    ['a mark for Excel', { list: [{ a: 1 }], bom: true }, '\uFEFFa\r\n1\r\n'],
    [
      'formulas disarmed, amounts not',
      { list: [{ a: '=1+1', b: '-12.50', c: '@x', d: '+1 303 555 0100', e: '-x' }] },
      "a,b,c,d,e\r\n'=1+1,-12.50,'@x,'+1 303 555 0100,'-x\r\n",
    ],
    ['formulas as they are, when told', { list: [{ a: '=1+1' }], safe: false }, 'a\r\n=1+1\r\n'],
  ])('have %s', async (_name, input, text) => {
    expect(await outputOf(format, input)).toMatchObject({ text });
  });

  test.each([
    [
      'a group in a cell',
      { list: [{ a: 1 }, { a: { b: 1 } }] },
      'cell_not_text',
      /^Row 2, column "a" is a group of fields/,
    ],
    [
      'two columns of one heading',
      { list: [], columns: [{ field: 'a' }, { field: 'b', title: 'a' }] },
      'column_duplicate',
      /"a"/,
    ],
    ['a reserved heading', { list: [], columns: [{ field: 'a', title: '__proto__' }] }, 'reserved_key', /__proto__/],
    [
      '501 different fields',
      { list: [Object.fromEntries(manyRows((at) => [`f${at}`, 1], 501))] },
      'too_many_columns',
      /500/,
    ],
    [
      'more text than a step may hand on',
      { list: manyRows(() => ({ a: 'x'.repeat(60) })) },
      'text_too_large',
      /5000000/,
    ],
  ])('with %s are refused', async (_name, input, code, message) => {
    await expect(run(format, input)).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('are the same rows when they are read again', async () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ',', ';', '"', '\n', '\r', ' ', '=', "'", 'é', '\t') }),
      fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed() && !/[\0\uFFFD]/.test(text)),
    );
    const columns = fc.uniqueArray(
      fc.stringMatching(/^[a-z]{1,5}$/).filter((name) => name !== 'constructor'),
      { minLength: 1, maxLength: 4 },
    );
    const rows = columns.chain((names) =>
      fc.array(
        fc
          .tuple(...names.map(() => cell))
          .map((values) => Object.fromEntries(names.map((name, at) => [name, values[at]]))),
        { minLength: 1, maxLength: 8 },
      ),
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('comma', 'semicolon', 'tab', 'pipe'), async (list, delimiter) => {
        const { text } = await outputOf<{ text: string }>(format, { list, delimiter, safe: false });
        expect(await outputOf(parse, { text, delimiter })).toMatchObject({ rows: list });
      }),
    );
  });
});

test('100,000 rows are written and read within seconds', async () => {
  const list = manyRows((index) => ({ number: `A-${index}`, total: '12.50', memo: 'a, "b"' }));
  let text = '';
  expect(await timed(async () => ({ text } = await outputOf<{ text: string }>(format, { list })))).toBeLessThan(10_000);
  expect(
    await timed(async () => expect(await outputOf(parse, { text })).toMatchObject({ count: 100_000 })),
  ).toBeLessThan(10_000);
});
