import type { Letter } from './post-office.ts';

/** What a letter is made of. */
export interface LetterParts {
  readonly mailId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  /** Plain text; blank lines part paragraphs. */
  readonly body: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly companyName: string;
  readonly timeZone: string;
  /** Where to decide; `expiresAt` when it is a link of one's own, that needs no account. */
  readonly link: { readonly url: string; readonly expiresAt?: Date };
}

/** Writes a letter, as text and as HTML that needs no pictures, scripts or styles from elsewhere. */
export function writeLetter(parts: LetterParts): Letter {
  const { mailId, to, body, facts, companyName, link } = parts;
  const subject = parts.subject.replaceAll(/\s+/g, ' ');
  const paragraphs = body.split(/\n{2,}/).filter((text) => text.trim() !== '');
  const terms = termsOf(parts);
  const from = `This is from ${companyName}, sent by Plumbline.`;
  return {
    messageId: `<${mailId}@${new URL(link.url).hostname}>`,
    to,
    subject,
    text: [...paragraphs, ...listOf(facts), `Look at it and decide:\n${link.url}`, terms, from].join('\n\n') + '\n',
    html: `<!doctype html>
<html lang="en">
  <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c1b1a;background:#ffffff">
    <div style="max-width:560px;margin:0 auto">
      <h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">${escape(subject)}</h1>
${paragraphs.map((text) => `      <p style="margin:0 0 16px">${escape(text).replaceAll('\n', '<br>')}</p>`).join('\n')}
${tableOf(facts)}
      <p style="margin:24px 0"><a href="${escape(link.url)}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1f5fbf;color:#ffffff;text-decoration:none;font-weight:600">Look at it and decide</a></p>
      <p style="margin:0 0 16px;font-size:14px;color:#5c5a57">${escape(terms)}</p>
      <p style="margin:0;font-size:14px;color:#5c5a57">${escape(from)}</p>
    </div>
  </body>
</html>
`,
  };
}

function listOf(facts: LetterParts['facts']): string[] {
  return facts.length > 0 ? [facts.map(({ label, value }) => `${label}: ${value}`).join('\n')] : [];
}

function tableOf(facts: LetterParts['facts']): string {
  const cell = 'padding:4px 16px 4px 0;vertical-align:top;text-align:left';
  const rows = facts.map(
    ({ label, value }) =>
      `        <tr><th style="${cell};font-weight:400;color:#5c5a57">${escape(label)}</th><td style="${cell}">${escape(value)}</td></tr>`,
  );
  return rows.length > 0 ? `      <table style="border-spacing:0">\n${rows.join('\n')}\n      </table>` : '';
}

function termsOf({ link, timeZone }: LetterParts): string {
  if (!link.expiresAt) return 'You sign in to decide.';
  const until = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(
    link.expiresAt,
  );
  return `The link is for you alone, needs no account, and works until ${until} (${timeZone}). Whoever has it can decide in your place, so do not pass it on.`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
