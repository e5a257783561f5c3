import { describe, expect, test } from 'vitest';
import { node as render } from './render.ts';
import { node as set } from './set.ts';
import { outputOf, run, timed } from './testing.ts';

describe('a record built from fields', () => {
  const data = { vendorName: 'Acme', vendor: { id: 7 }, total: '12.50' };

  test.each([
    [{ kind: 'text', value: 'Hello' }, 'Hello'],
    [{ kind: 'text' }, ''],
    [{ kind: 'text', value: 12 }, '12'],
    [{ kind: 'number', value: ' 12.5 ' }, 12.5],
    [{ kind: 'number', value: 0 }, 0],
    [{ kind: 'yes-no', value: 'Yes' }, true],
    [{ kind: 'yes-no', value: 'no' }, false],
    [{ kind: 'field', value: 'vendor.id' }, 7],
    [{ kind: 'field', value: 'vendor' }, { id: 7 }],
    [{ kind: 'json', value: '[1, {"a": null}]' }, [1, { a: null }]],
  ])('has %j as %j', async (field, value) => {
    expect(await outputOf(set, { data, fields: [{ name: 'x', ...field }] })).toEqual({ x: value });
  });

  test('keeps the rest of the data when asked', async () => {
    const fields = [
      { name: 'total', value: '1.00' },
      { name: 'new', value: 'x' },
    ];
    expect(await outputOf(set, { data, keep: true, fields })).toEqual({ ...data, total: '1.00', new: 'x' });
  });

  test.each([
    ['a number that is none', [{ name: 'x', kind: 'number', value: '1,000' }], 'value_invalid', /"x" is "1,000"/],
    [
      'a number that would lose digits',
      [{ name: 'x', kind: 'number', value: '9007199254740993' }],
      'value_invalid',
      /as text/,
    ],
    ['neither yes nor no', [{ name: 'x', kind: 'yes-no', value: 'maybe' }], 'value_invalid', /yes or no/],
    ['broken JSON', [{ name: 'x', kind: 'json', value: '{' }], 'value_invalid', /JSON/],
    ['JSON with a reserved key', [{ name: 'x', kind: 'json', value: '{"__proto__":1}' }], 'reserved_key', /__proto__/],
    ['a field the data lacks', [{ name: 'x', kind: 'field', value: 'nobody' }], 'field_missing', /"nobody"/],
    ['a field that every object has', [{ name: 'x', kind: 'field', value: 'toString' }], 'field_missing', /"toString"/],
    ['a reserved name', [{ name: 'prototype', value: '1' }], 'reserved_key', /Field 1/],
    ['a name twice', [{ name: 'x' }, { name: 'x' }], 'name_duplicate', /"x"/],
  ])('refuses %s', async (_name, fields, code, message) => {
    await expect(run(set, { data, fields })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('a text', () => {
  const data = {
    vendor: { name: 'Müller & <Sons>' },
    total: '12.50',
    paid: false,
    count: 0,
    lines: [{ memo: 'a' }],
    empty: null,
  };

  test.each([
    ['Dear {{vendor.name}}, {{ total }}!', 'Dear Müller & <Sons>, 12.50!'],
    ['{{paid}} {{count}} {{lines.0.memo}}', 'false 0 a'],
    ['no field { } }} here', 'no field { } }} here'],
    ['as \\{{it}} is, {{total}}', 'as {{it}} is, 12.50'],
    ['{{total}}{{total}}', '12.5012.50'],
  ])('%j becomes %j', async (template, text) => {
    expect(await outputOf(render, { template, data })).toEqual({ text });
  });

  test('for HTML has its fields escaped, and not the text around them', async () => {
    const output = await outputOf(render, {
      template: '<b>{{vendor.name}}</b> \'"{{q}}',
      data: { ...data, q: `'"` },
      escape: 'html',
    });
    expect(output).toEqual({ text: `<b>Müller &amp; &lt;Sons&gt;</b> '"&#39;&quot;` });
  });

  test('does not read what it filled in as a template again', async () => {
    expect(await outputOf(render, { template: '{{a}}', data: { a: '{{b}}', b: 'secret' } })).toEqual({ text: '{{b}}' });
  });

  test('leaves missing fields empty, or names every one of them', async () => {
    const template = '{{nobody}}-{{empty}}-{{total}}-{{constructor.name}}'.replace(
      '{{constructor.name}}',
      '{{toString}}',
    );
    expect(await outputOf(render, { template, data, missing: 'empty' })).toEqual({ text: '--12.50-' });
    await expect(run(render, { template, data })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'field_missing',
      message: expect.stringMatching(/"nobody", "empty", "toString"/),
    });
  });

  test.each([
    ['a group as text', '{{vendor}}', 'placeholder_not_text', /"vendor" is a group of fields/],
    ['braces that are not closed', 'a\nb {{total', 'template_invalid', /^Line 2/],
    ['braces around nothing', '{{ }}', 'template_invalid', /^Line 1/],
    ['braces in braces', '{{a {{b}}', 'template_invalid', /^Line 1/],
    ['a reserved field', '{{constructor.name}}', 'reserved_key', /constructor/],
  ])('refuses %s', async (_name, template, code, message) => {
    await expect(run(render, { template, data, missing: 'empty' })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('has a limit, and no template takes long', async () => {
    const big = { a: 'x'.repeat(500_000) };
    await expect(run(render, { template: '{{a}}{{a}}{{a}}', data: big })).rejects.toMatchObject({
      code: 'text_too_large',
    });
    expect(await timed(() => run(render, { template: '\\{{'.repeat(16_000), data: {} }))).toBeLessThan(2_000);
    await expect(run(render, { template: '{{'.repeat(25_000), data: {} })).rejects.toMatchObject({
      code: 'template_invalid',
    });
  });
});
