import { isSecretName } from '@plumbline/workflows/flow';

/** So many are kept of one run: what it is about comes first. */
const MOST = 250;
const LONGEST = 80;
/** Values looked at: of a huge list nobody looks for what stands further down. */
const LOOKED_AT = 20_000;
const DEEPEST = 12;

/** Fields whose value is what somebody calls the thing by: `id`, `docNumber`, `vendor_ref`, `ts`. */
const idName = /(^|[a-z0-9_.-])(id|ids|number|no|key|ref|reference|code|sku|uid|uuid|ts|email|externalid)$/i;
/** Fields whose words somebody may remember. */
const wordName = /(name|title|subject)$/i;
/** Fields of measures, which are no names of things. */
const measureName =
  /(total|amount|price|cost|sum|balance|tax|rate|percent|qty|quantity|count|hours|weight|size|length)$/i;
/** One word with a digit in it, such as `PO-7781`, `BP-2024-17`, `4417`. */
const idLike = /^(?=.*\d)[\w#./:@+-]{2,60}$/;
/** Decimals and times look like ids, and nobody looks for a run by them. */
const measureLike = /^(-?\d+\.\d+|\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}:\d\d(:\d\d)?|\d{1,3})$/;

/**
 * Everything in a value that a run may be looked for by, in lower case, without repeats: ids and numbers as they are, also those that only look like one; ids
 * of several words and names as a whole and word by word. What stands at the top comes before what stands deep down. Secrets are not among them.
 */
export function referencesIn(...values: readonly unknown[]): readonly string[] {
  const found = new Set<string>();
  const add = (text: string): void => {
    const value = text.trim().toLowerCase();
    if (value.length > 0 && value.length <= LONGEST && found.size < MOST) found.add(value);
  };
  const addWords = (text: string, shortest: number): void => {
    add(text);
    for (const word of text.split(/[\s,;:/()]+/)) if (word.length >= shortest) add(word);
  };
  const look = (value: string | number, name: string): void => {
    const text = String(value);
    if (idName.test(name)) addWords(text, 2);
    else if (wordName.test(name)) addWords(text, 3);
    else if (!measureName.test(name) && idLike.test(text) && !measureLike.test(text)) add(text);
  };
  /** By depth: a document's own number is found before the items of its lines. */
  let level = values.map((value) => ({ value, name: '' }));
  let looked = 0;
  for (let depth = 0; level.length > 0 && depth <= DEEPEST; depth++) {
    const below: { value: unknown; name: string }[] = [];
    for (const { value, name } of level) {
      if (found.size >= MOST || ++looked > LOOKED_AT) return [...found];
      if (typeof value === 'string' || typeof value === 'number') look(value, name);
      else if (Array.isArray(value)) for (const item of value) below.push({ value: item, name });
      else if (typeof value === 'object' && value !== null)
        for (const [key, item] of Object.entries(value)) if (!isSecretName(key)) below.push({ value: item, name: key });
    }
    level = below;
  }
  return [...found];
}
