import { checkValue, type CatalogInfo } from '@plumbline/workflows/flow';

type Schema = CatalogInfo['nodeTypes'][number]['input'];

/** JSON while somebody writes it: what it says so far, and what is wrong with it. */
export class JsonText {
  text = $state('');
  readonly #schema: () => Schema | undefined;

  /** `schema` is what the value has to fit; without one any JSON is fine. It is read reactively. */
  constructor(value: unknown, schema: () => Schema | undefined = () => undefined) {
    this.text = JSON.stringify(value, null, 2);
    this.#schema = schema;
  }

  /** Undefined while it is no JSON. */
  readonly parsed = $derived.by((): { readonly value: unknown } | undefined => {
    try {
      return { value: JSON.parse(this.text) };
    } catch {
      return undefined;
    }
  });

  /** In words, one a problem; empty when it may be sent. */
  readonly problems = $derived.by((): readonly string[] => {
    if (!this.parsed) return [whereItBreaks(this.text)];
    const schema = this.#schema();
    return schema ? checkValue(this.parsed.value, schema).map(({ message }) => message) : [];
  });

  readonly fine = $derived(this.problems.length === 0);
}

/** `This is not JSON yet: line 3.` */
function whereItBreaks(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    if (at !== undefined) return `This is not JSON yet: look at line ${text.slice(0, Number(at)).split('\n').length}.`;
  }
  return 'This is not JSON yet.';
}
