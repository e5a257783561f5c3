/** Text for HTML, in content and in quoted attributes alike. */
export function escapeHtml(text: unknown): string {
  return String(text ?? '').replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** HTML that has been escaped already; made only by `html`. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Writes HTML in which every value is escaped, but for what `html` itself made; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  const one = (value: unknown): string =>
    value instanceof Html ? value.text : Array.isArray(value) ? value.map(one).join('') : escapeHtml(value);
  return new Html(parts.map((part, index) => part + (index < values.length ? one(values[index]) : '')).join(''));
}

const style = new Html(`:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent)}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
.n{text-align:right;font-variant-numeric:tabular-nums}.note{opacity:.75;font-size:.9em}nav a{margin-right:1rem}
button{font:inherit;padding:.5rem 1.1rem;margin-right:.5rem;cursor:pointer}fieldset{border:1px solid var(--line);padding:1rem}
.message{font:inherit;border-left:3px solid var(--line);padding:.1rem .8rem;margin:.7rem 0 .2rem;white-space:pre-wrap;overflow-wrap:anywhere}`);

/** A sandbox's own little page: plain, readable, light and dark, without scripts. */
export function sandboxPage(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.text;
}
