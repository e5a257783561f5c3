const LOCALE = 'en-US';

/** An amount with its currency, exact: the decimal text is never made a float. `$12,480.00`. */
export function money(amount: string, currency = 'USD'): string {
  if (!/^-?\d+(\.\d+)?$/.test(amount)) return amount;
  return new Intl.NumberFormat(LOCALE, { style: 'currency', currency }).format(amount as `${number}`);
}

/** A count: `1,204`. */
export function count(value: number): string {
  return new Intl.NumberFormat(LOCALE).format(value);
}

/** A word in its number: `1 flow`, `3 flows`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A calendar day, `YYYY-MM-DD`, which has no zone: `Mar 4, 2026`. */
export function day(value: string): string {
  const at = new Date(`${value}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return value;
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' }).format(at);
}

/** A moment in the company's zone: `Mar 4, 2026, 2:14 PM`. */
export function moment(iso: string, timeZone: string): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(new Date(iso));
}

/** A moment to the second, with the zone's name and UTC: for tooltips. */
export function fullMoment(iso: string, timeZone: string): string {
  const at = new Date(iso);
  const here = new Intl.DateTimeFormat(LOCALE, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(at);
  return `${here} · ${at.toISOString().slice(11, 19)} UTC`;
}

/** A time of day in the company's zone, to the second: `2:14:09 PM`. */
export function clockTime(iso: string, timeZone: string): string {
  return new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium', timeZone }).format(new Date(iso));
}

/** How long ago, or how soon, in the shortest words: `now`, `4 min ago`, `in 2 h`, `3 d ago`. */
export function ago(iso: string, now: number): string {
  const ms = now - new Date(iso).getTime();
  const size = Math.abs(ms);
  if (size < 5_000) return 'now';
  const text =
    size < 60_000
      ? `${Math.floor(size / 1_000)} s`
      : size < 3_600_000
        ? `${Math.floor(size / 60_000)} min`
        : size < 86_400_000
          ? `${Math.floor(size / 3_600_000)} h`
          : `${Math.floor(size / 86_400_000)} d`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

/** A length of time: `340 ms`, `1.2 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const pair = (whole: number, unit: string, rest: number, small: string): string =>
    rest > 0 ? `${whole} ${unit} ${rest} ${small}` : `${whole} ${unit}`;
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 3_600), 'h', Math.floor((seconds % 3_600) / 60), 'min');
  return pair(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3_600), 'h');
}

/** A key of data as words: `invoiceDate` and `invoice_date` are `Invoice date`. */
export function words(key: string): string {
  const spaced = key
    .replace(/[_-]+/g, ' ')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
