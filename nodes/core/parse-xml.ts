import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { defineAction, isConnectorFailure } from '../sdk/index.ts';
import { badInput } from './bad-input.ts';
import { checkData, isGroup } from './rows.ts';
import { documentTypeRefused, onlyXmlEntities } from './xml-entities.ts';

const TEXT_MAX = 5_000_000;
const TAGS_MAX = 200_000;
const DEPTH_MAX = 60;

/**
 * Reads XML text into groups of fields: attributes begin with `@`, text beside attributes is `#text`, everything stays text.
 * A tag that comes several times becomes a list; name it under "Always lists" to have a list of one, too.
 * Document types are refused, and with them every entity but the five of XML itself: nothing expands, nothing is fetched.
 *
 * Errors: `xml_invalid` names line and column; `dtd_forbidden`, `entity_forbidden`, `too_deep`, `too_many_tags`, `reserved_key`,
 * `unsupported_character`.
 */
export const node = defineAction({
  id: 'core.parse-xml',
  title: 'Read XML',
  description: 'Turns XML text into fields and lists.',
  category: 'Data',
  icon: 'code-xml',
  effect: 'none',
  source: 'https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html',
  input: z.object({
    text: z.string().max(TEXT_MAX).meta({ title: 'Text', multiline: true }),
    lists: z
      .array(z.object({ tag: z.string().min(1).max(200).meta({ title: 'Tag' }) }))
      .max(100)
      .default([])
      .meta({ title: 'Always lists', description: 'Tags that are lists even when there is only one.' }),
    prefixes: z.boolean().default(true).meta({
      title: 'Keep prefixes',
      description: 'Whether "cbc:Amount" stays so, or becomes "Amount".',
      advanced: true,
    }),
  }),
  output: z.object({ value: z.record(z.string(), z.unknown()) }),
  example: { text: '<Invoice number="A-1"><Total>12.50</Total></Invoice>', lists: [{ tag: 'Line' }] },
  run({ input: { text, lists, prefixes } }) {
    const xml = text.replace(/^\uFEFF/, '').trim();
    if (xml === '') throw badInput('xml_invalid', 'The text is empty; there is no XML in it.');
    checkSize(xml);
    checkShape(xml);
    const always = new Set(lists.map(({ tag }) => tag));
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '@',
      parseTagValue: false,
      ignoreDeclaration: true,
      ignorePiTags: true,
      removeNSPrefix: !prefixes,
      maxNestedTags: DEPTH_MAX,
      isArray: (tag, _path, _isLeaf, isAttribute) => !isAttribute && always.has(tag),
      // What every object has is an ordinary tag here: results are only ever read by their own fields.
      onDangerousProperty: (name) => name,
      entityDecoder: onlyXmlEntities,
    });
    const value = readXml(() => parser.parse(xml) as unknown);
    checkData(value, 'XML');
    // The validator lets a second root pass where the first closes itself, and text behind it.
    if (!isGroup(value) || Object.keys(value).length !== 1 || isSeveral(Object.values(value)[0]) || !xml.endsWith('>'))
      throw badInput(
        'xml_invalid',
        'The XML has more than one root element, or text outside of it. Have it sent as one document.',
      );
    return Promise.resolve({ output: { value } });
  },
});

function isSeveral(root: unknown): boolean {
  return Array.isArray(root) && root.length > 1;
}

function checkSize(xml: string): void {
  let tags = 0;
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at + 1)) tags += 1;
  // An element has two.
  if (tags > 2 * TAGS_MAX)
    throw badInput('too_many_tags', `The XML has more than ${TAGS_MAX} elements. Read it in parts.`);
}

/** The parser forgives; this does not. */
function checkShape(xml: string): void {
  const found = readXml(() => XMLValidator.validate(xml));
  if (found === true) return;
  const { msg, line, col } = found.err;
  throw badInput(
    'xml_invalid',
    `The XML is broken in line ${line}${Number.isInteger(col) ? `, column ${col}` : ''}: ${msg.replace(/\s+/g, ' ').slice(0, 200).replace(/\.$/, '')}. Correct it where it comes from.`,
  );
}

function readXml<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isConnectorFailure(cause) || !(cause instanceof Error)) throw cause;
    if (/nested tags/i.test(cause.message))
      throw badInput(
        'too_deep',
        `The XML is nested deeper than ${DEPTH_MAX} levels. Pass on only the part that is needed.`,
        cause,
      );
    if (cause.message.includes('[SECURITY]'))
      throw badInput(
        'reserved_key',
        'The XML has a tag or an attribute called "__proto__", "constructor" or "prototype", which no field may be. Rename it.',
        cause,
      );
    if (/doctype|entit/i.test(cause.message)) throw documentTypeRefused(cause);
    throw badInput(
      'xml_invalid',
      `The XML cannot be read: ${cause.message.slice(0, 200)}. Correct it where it comes from.`,
      cause,
    );
  }
}
