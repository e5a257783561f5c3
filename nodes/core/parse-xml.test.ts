import { describe, expect, test } from 'vitest';
import { node } from './parse-xml.ts';
import { outputOf, run, timed } from './testing.ts';

describe('XML text', () => {
  test.each([
    [
      'attributes and text, as text',
      '<Bill no="007"><Total>012.50</Total></Bill>',
      { Bill: { '@no': '007', Total: '012.50' } },
    ],
    ['text beside an attribute', '<a b="1">x</a>', { a: { '@b': '1', '#text': 'x' } }],
    ['a tag several times', '<a><l>1</l><l>2</l></a>', { a: { l: ['1', '2'] } }],
    ['an empty tag', '<a><b/><c></c></a>', { a: { b: '', c: '' } }],
    [
      'what XML itself escapes',
      '<a b="&quot;">&lt;&amp;&gt; &#65;&#x42;&apos;</a>',
      { a: { '@b': '"', '#text': "<&> AB'" } },
    ],
    ['raw text', '<a><![CDATA[<b> & &nbsp;]]></a>', { a: '<b> & &nbsp;' }],
    [
      'a declaration, a comment and a mark',
      '\uFEFF<?xml version="1.0" encoding="UTF-8"?><!-- c --><a>1</a>\n',
      { a: '1' },
    ],
    ['prefixes', '<s:a xmlns:s="urn:x"><s:b>1</s:b></s:a>', { 's:a': { '@xmlns:s': 'urn:x', 's:b': '1' } }],
    [
      'tags that every object has',
      '<a><toString>1</toString><hasOwnProperty>2</hasOwnProperty></a>',
      { a: { toString: '1', hasOwnProperty: '2' } },
    ],
  ])('is read with %s', async (_name, text, value) => {
    expect(await outputOf(node, { text })).toEqual({ value });
  });

  test('has a list of one where a tag is always a list, and short names when asked', async () => {
    const text = '<c:Bill xmlns:c="urn:x" line="1"><c:line>1</c:line></c:Bill>';
    const output = await outputOf(node, { text, lists: [{ tag: 'line' }], prefixes: false });
    expect(output).toEqual({ value: { Bill: { '@line': '1', line: ['1'] } } });
  });

  test.each([
    ['nothing', ' ', 'xml_invalid', /empty/],
    ['text', 'hello', 'xml_invalid', /line 1, column 1/],
    ['a tag that is closed by another', '<a>\n<b></a>', 'xml_invalid', /line 2, column 4/],
    ['a tag that is not closed', '<a><b>1</b>', 'xml_invalid', /line 1/],
    ['an attribute twice', '<a x="1" x="2"/>', 'xml_invalid', /repeated/],
    ['two roots', '<a/><b/>', 'xml_invalid', /one root/],
    ['one root twice', '<a/><a/>', 'xml_invalid', /one root/],
    ['text behind the root', '<a/>x', 'xml_invalid', /outside/],
    ['a document type', '<!DOCTYPE a><a/>', 'dtd_forbidden', /DOCTYPE/],
    ['a document type from a file', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'dtd_forbidden', /DOCTYPE/],
    [
      'an external entity',
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      'dtd_forbidden',
      /DOCTYPE/,
    ],
    [
      'a billion laughs',
      `<!DOCTYPE a [<!ENTITY a "ha">${'bcdefghi'.replace(/./g, (name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">`)}]><a>&i;</a>`,
      'dtd_forbidden',
      /DOCTYPE/,
    ],
    ['an entity of HTML', '<a>&nbsp;</a>', 'entity_forbidden', /"&nbsp;"/],
    ['an entity in an attribute', '<a b="&copy;"/>', 'entity_forbidden', /"&copy;"/],
    ['a bare ampersand in an attribute', '<a b="x & y"/>', 'entity_forbidden', /&amp;/],
    ['a character beyond all characters', '<a>&#x110000;</a>', 'entity_forbidden', /110000/],
    ['a NUL', '<a><b>&#0;</b></a>', 'unsupported_character', /\(a, b\)/],
    ['half a character', '<a>&#xD800;</a>', 'unsupported_character', /\(a\)/],
    ['a reserved tag', '<a><__proto__><b>1</b></__proto__></a>', 'reserved_key', /__proto__/],
    ['another', '<constructor><prototype/></constructor>', 'reserved_key', /constructor/],
    ['61 levels', '<a>'.repeat(100) + '</a>'.repeat(100), 'too_deep', /60 levels/],
    ['very many tags', `<a>${'<b/>'.repeat(400_001)}</a>`, 'too_many_tags', /200000/],
  ])('with %s is refused', async (_name, text, code, message) => {
    await expect(run(node, { text })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
    expect(({} as Record<string, unknown>)['b']).toBeUndefined();
  });

  test.each([
    '<a ',
    '<a b="',
    '<![CDATA[',
    '<!--',
    '<?',
    '<a>',
    '<!DOCTYPE [',
    '<!DOCTYPE a "',
    '&',
    '&amp;',
    '<',
    ' ',
    '=',
    '"',
    '<b/>x',
  ])('made of %j again and again takes no time worth speaking of', async (part) => {
    const many = part.repeat(Math.min(190_000, Math.floor(4_900_000 / part.length)));
    expect(await timed(() => run(node, { text: `<r>${many}</r>` }).catch(() => undefined))).toBeLessThan(8_000);
    expect(await timed(() => run(node, { text: many }).catch(() => undefined))).toBeLessThan(8_000);
  });
});
