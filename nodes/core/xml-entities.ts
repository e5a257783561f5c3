import { badInput, shown } from './bad-input.ts';

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Decodes what XML itself defines and characters by number; a document type is met here, too. */
export const onlyXmlEntities = {
  setExternalEntities: () => undefined,
  setXmlVersion: () => undefined,
  reset: () => undefined,
  addInputEntities() {
    throw documentTypeRefused();
  },
  decode: (text: string) =>
    text.replace(/&([^\s;&]{1,64};)?/g, (whole, name?: string) => {
      const character = name === undefined ? undefined : characterOf(name.slice(0, -1));
      if (character !== undefined) return character;
      throw badInput(
        'entity_forbidden',
        `The XML has ${shown(whole)}, which XML itself does not know. Have an "&" written as "&amp;".`,
      );
    }),
};

/** What a document type gets, whatever it says. */
export function documentTypeRefused(cause?: unknown): Error {
  return badInput(
    'dtd_forbidden',
    'The XML has a document type (<!DOCTYPE), which could define anything. Have it sent without one.',
    cause,
  );
}

function characterOf(name: string): string | undefined {
  const match = /^#(?:(\d{1,7})|x([\da-f]{1,6}))$/i.exec(name);
  if (!match) return Object.hasOwn(predefined, name) ? predefined[name] : undefined;
  const code = match[1] ? Number(match[1]) : Number.parseInt(match[2] ?? '', 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
