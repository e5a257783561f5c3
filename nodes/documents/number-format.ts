/** What the number in a cell stands for: it is only its format that tells. */
export type Meaning = 'number' | 'day' | 'time' | 'elapsed';

/** What is printed as it stands in a format: "quoted", after a backslash, the width of a character, or one that fills the cell. */
const literals = /&quot;.*?(?:&quot;|$)|"[^"]*(?:"|$)|[\\_*](?:&\w+;|.)/gs;

/**
 * What a format says of its numbers, such as `h:mm` for a time of day and `[h]:mm` for time that has passed. The first section decides: that of positive
 * numbers.
 * @see ECMA-376 part 1, 18.8.31
 */
export function meaningOf(format: string): Meaning {
  const bare = format.replace(literals, '');
  if (/^[^;]*\[(?:h+|m+|s+)\]/i.test(bare)) return 'elapsed';
  const [first = ''] = bare.replace(/\[[^\]]*\]/g, '').split(';');
  const letters = first.replace(/am\/pm|a\/p/gi, 'h').toLowerCase();
  if (letters.includes('@') || letters === 'general') return 'number';
  // Three m are a name of a month, and fewer are minutes beside hours or seconds.
  if (/[yd]|mmm/.test(letters)) return 'day';
  if (/[hs]/.test(letters)) return 'time';
  return letters.includes('m') ? 'day' : 'number';
}

/** A workbook's styles with nothing in their formats but what has a meaning: the library takes the `h` of `0\h` for hours, and reads a date. */
export function plainFormats(styles: string): string {
  return styles.replace(
    /(\sformatCode=)(?:"([^"]*)"|'([^']*)')/g,
    (_, name: string, double?: string, single?: string) =>
      `${name}"${(double ?? single ?? '').replace(literals, '').replaceAll('"', '') || 'General'}"`,
  );
}
