import { describe, expect, test } from 'vitest';
import { meaningOf, plainFormats } from './number-format.ts';

describe('the format of a number', () => {
  test.each([
    ['General', 'number'],
    ['', 'number'],
    ['#,##0.00', 'number'],
    ['0\\h', 'number'],
    ['0.0" hours of the day"', 'number'],
    ['_(* #,##0_);_(* (#,##0);_(@_)', 'number'],
    ['0_d', 'number'],
    ['[Red]0', 'number'],
    ['0.00E+00', 'number'],
    ['@', 'number'],
    ['0;\\-0" d"', 'number'],
    ['yyyy-mm-dd', 'day'],
    ['YYYY', 'day'],
    ['[$-409]d\\-mmm\\-yy;@', 'day'],
    ['m/d/yy h:mm', 'day'],
    ['mmm', 'day'],
    ['h:mm', 'time'],
    ['HH:MM:SS', 'time'],
    ['[$-F400]h:mm:ss\\ AM/PM', 'time'],
    ['h "h" mm', 'time'],
    ['mm:ss.0', 'time'],
    ['[h]:mm', 'elapsed'],
    ['[HH]:MM:SS', 'elapsed'],
    ['[mm]:ss', 'elapsed'],
    ['[s]', 'elapsed'],
    ['"[h]" 0', 'number'],
  ])('%s says that it is a %s', (format, meaning) => {
    expect(meaningOf(format)).toBe(meaning);
  });

  test('keeps only what has a meaning, in the styles of a workbook', () => {
    expect(
      plainFormats(
        `<numFmt numFmtId="164" formatCode="0\\h"/><numFmt formatCode='0 "d"'/><numFmt formatCode="&quot;day&quot;"/><numFmt formatCode="yyyy\\-mm\\&amp;dd"/>`,
      ),
    ).toBe(
      '<numFmt numFmtId="164" formatCode="0"/><numFmt formatCode="0 "/><numFmt formatCode="General"/><numFmt formatCode="yyyymmdd"/>',
    );
  });
});
