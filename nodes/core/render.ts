import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { groupField, groupOf, readerOf } from './rows.ts';

const TEXT_MAX = 1_000_000;

/**
 * Fills in a text: `{{vendor.name}}` becomes that field of the data. What is filled in is never read as a template again;
 * a backslash before `{{` leaves the braces as they are.
 *
 * Errors: `template_invalid` names the line; `field_missing` names every field the data lacks; `placeholder_not_text`; `text_too_large`.
 */
export const node = defineAction({
  id: 'core.render',
  title: 'Write a text',
  description: 'Fills in a text with fields, for a message, a letter or an e-mail.',
  category: 'Data',
  icon: 'file-text',
  effect: 'none',
  input: z.object({
    template: z
      .string()
      .min(1)
      .max(50_000)
      .meta({ title: 'Text', description: 'Put fields in double braces: Dear {{vendor.name}}', multiline: true }),
    data: groupField({ title: 'Data' }),
    missing: z
      .enum(['fail', 'empty'])
      .default('fail')
      .meta({ title: 'When a field is missing', labels: { fail: 'Stop and say which', empty: 'Leave it empty' } }),
    escape: z
      .enum(['none', 'html'])
      .default('none')
      .meta({ title: 'Written for', labels: { none: 'Plain text', html: 'HTML: fields are escaped' } }),
  }),
  output: z.object({ text: z.string() }),
  example: { template: 'Dear {{vendor.name}}', data: { vendor: { name: 'Acme Lumber' } } },
  run({ input: { template, data: given, missing, escape } }) {
    const data = groupOf(given, 'Data');
    const lacking = new Set<string>();
    const pieces: string[] = [];
    let length = 0;
    const write = (text: string): void => {
      length += text.length;
      if (length > TEXT_MAX)
        throw badInput(
          'text_too_large',
          `The text would be longer than ${TEXT_MAX} characters. Leave out some of its fields.`,
        );
      pieces.push(text);
    };
    for (const piece of piecesOf(template)) {
      if (piece.kind === 'text') write(piece.text);
      else {
        const text = textOf(readerOf(piece.field)(data), piece.field);
        if (text === '') lacking.add(piece.field);
        write(escape === 'html' ? escapeHtml(text) : text);
      }
    }
    if (missing === 'fail' && lacking.size > 0)
      throw badInput(
        'field_missing',
        `The text needs ${[...lacking].map((field) => `"${field}"`).join(', ')}, which the data does not have. Fill it in there, or let it be empty.`,
      );
    return Promise.resolve({ output: { text: pieces.join('') } });
  },
});

type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'field'; readonly field: string };

function piecesOf(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{{', at);
    if (open === -1) break;
    if (template[open - 1] === '\\' && open > at) {
      pieces.push({ kind: 'text', text: `${template.slice(at, open - 1)}{{` });
      at = open + 2;
      continue;
    }
    const close = template.indexOf('}}', open);
    const field = template.slice(open + 2, close).trim();
    if (close === -1 || field === '' || field.includes('{{') || field.length > 200)
      throw badInput(
        'template_invalid',
        `Line ${template.slice(0, open).split('\n').length} of the text has "{{" without a field and "}}". Write it as {{vendor.name}}.`,
      );
    pieces.push({ kind: 'text', text: template.slice(at, open) }, { kind: 'field', field });
    at = close + 2;
  }
  pieces.push({ kind: 'text', text: template.slice(at) });
  return pieces;
}

function textOf(value: unknown, field: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object')
    throw badInput(
      'placeholder_not_text',
      `"${field}" is ${shown(value)}, not text. Name a field inside it, for example {{${field}.name}}.`,
    );
  return String(value);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
