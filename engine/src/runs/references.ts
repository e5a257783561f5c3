import { isSecretName } from '@plumbline/workflows/flow';

/** So many are kept of one run: what it is about comes first. */
const MOST = 120;
const LONGEST = 80;

/** Fields whose value is what somebody calls the thing by: `id`, `docNumber`, `vendor_ref`, `ts`. */
const idName = /(^|[a-z0-9_.-])(id|ids|number|no|key|ref|reference|code|sku|uid|uuid|ts|email|externalid)$/i;
/** Fields whose words somebody may remember. */
const wordName = /(name|title|subject)$/i;

/**
 * Everything in a value that a run may be looked for by, in lower case, without repeats: ids and numbers as they are, names as a whole and word by word.
 * Secrets are not among them.
 */
export function referencesIn(...values: readonly unknown[]): readonly string[] {
  const found = new Set<string>();
  const add = (text: string): void => {
    const value = text.trim().toLowerCase();
    if (value.length > 0 && value.length <= LONGEST && found.size < MOST) found.add(value);
  };
  const walk = (value: unknown, name: string, depth: number): void => {
    if (found.size >= MOST || depth > 12) return;
    if (typeof value === 'string' || typeof value === 'number') {
      const text = String(value);
      if (idName.test(name)) add(text);
      else if (wordName.test(name)) {
        add(text);
        for (const word of text.split(/[\s,;:/()]+/)) if (word.length > 2) add(word);
      }
    } else if (Array.isArray(value)) for (const item of value) walk(item, name, depth + 1);
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) if (!isSecretName(key)) walk(item, key, depth + 1);
  };
  for (const value of values) walk(value, '', 0);
  return [...found];
}
