import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConnectorFailure } from './failure.ts';
import {
  consent,
  openSandbox,
  redirectUri,
  requestToken,
  runContext,
  runNode,
  testClient,
  type OpenedSandbox,
} from './testing.ts';
import type { Connector, SandboxFault } from './connector.ts';
import type { NodeType } from './node-type.ts';
import type { FailureKind } from './vendor.ts';

interface Trouble {
  readonly name: string;
  readonly fault: Omit<SandboxFault, 'match'>;
  /** What it is for a call that only reads. */
  readonly read: FailureKind;
  /** What it is for a call that changes something. */
  readonly write: FailureKind;
}

/** Every way an exchange can go wrong, and what it must come out as. */
const troubles: readonly Trouble[] = [
  { name: '400', fault: { kind: 'status', status: 400 }, read: 'invalid', write: 'invalid' },
  { name: '401', fault: { kind: 'status', status: 401 }, read: 'reauthorize', write: 'reauthorize' },
  { name: '403', fault: { kind: 'status', status: 403 }, read: 'forbidden', write: 'forbidden' },
  { name: '404', fault: { kind: 'status', status: 404 }, read: 'not_found', write: 'not_found' },
  { name: '409', fault: { kind: 'status', status: 409 }, read: 'conflict', write: 'conflict' },
  { name: '422', fault: { kind: 'status', status: 422 }, read: 'invalid', write: 'invalid' },
  {
    name: '429',
    fault: { kind: 'status', status: 429, headers: { 'Retry-After': '7' } },
    read: 'throttled',
    write: 'throttled',
  },
  { name: '500', fault: { kind: 'status', status: 500 }, read: 'unavailable', write: 'ambiguous' },
  { name: '502', fault: { kind: 'status', status: 502 }, read: 'unavailable', write: 'ambiguous' },
  { name: '503', fault: { kind: 'status', status: 503 }, read: 'unavailable', write: 'ambiguous' },
  {
    name: '503 that says when',
    fault: { kind: 'status', status: 503, headers: { 'Retry-After': '7' } },
    read: 'unavailable',
    write: 'unavailable',
  },
  { name: '504', fault: { kind: 'status', status: 504 }, read: 'unavailable', write: 'ambiguous' },
  { name: 'malformed answer', fault: { kind: 'malformed' }, read: 'contract', write: 'contract' },
  { name: 'connection cut before the work', fault: { kind: 'drop_before' }, read: 'unavailable', write: 'ambiguous' },
  { name: 'connection cut after the work', fault: { kind: 'drop_after' }, read: 'unavailable', write: 'ambiguous' },
];

const https = z.url({ protocol: /^https$/ });

/** Holds one connector to the contract of this SDK, against its own double. Call it at the top of a test file. */
export function describeConnector(connector: Connector): void {
  describe(`${connector.title} keeps the contract`, () => {
    let opened: OpenedSandbox;
    beforeEach(async () => {
      opened = await openSandbox(connector);
    });

    test('it says where its facts come from, and lives at https', () => {
      const { authorizeUrl, tokenUrl, revokeUrl } = connector.auth;
      for (const url of [connector.baseUrl.live, authorizeUrl, tokenUrl, ...(revokeUrl ? [revokeUrl] : [])])
        https.parse(url);
      expect(connector.limits.length).toBeGreaterThan(0);
      for (const limit of connector.limits) https.parse(limit.source);
      for (const node of connector.nodes) https.parse(node.source);
      expect(connector.monogram).toEqual({
        text: expect.stringMatching(/^\S{1,2}$/),
        color: expect.stringMatching(/^#[0-9a-f]{6}$/),
      });
    });

    test.each(connector.nodes.map((node) => [node.id, node] as const))(
      '%s can be drawn: titles, choices, ports, schemas',
      (_, node) => {
        expect(node).toMatchObject({
          connector: connector.id,
          id: expect.stringMatching(/^[a-z0-9-]+\.[a-z0-9-]+$/),
          title: expect.stringMatching(/./),
          description: expect.stringMatching(/\.$/),
        });
        const schema = z.toJSONSchema(node.input, { io: 'input' });
        expect(z.toJSONSchema(node.output)).toBeTypeOf('object');
        for (const field of fieldsOf(schema)) {
          expect(field.title, `a field of ${node.id} without a title`).toBeTypeOf('string');
          if (field.optionsFrom !== undefined) expect(Object.keys(connector.options)).toContain(field.optionsFrom);
        }
        expect(portsOf(node).length).toBeGreaterThan(0);
      },
    );

    test('the consent page gives a code that works once, for its verifier; a denial says so', async () => {
      const origin = new URL(opened.connection.baseUrl).origin + `/sandbox/${connector.id}`;
      const { fetch } = opened;
      const exchange = (code: string, verifier: string) =>
        requestToken({
          connector,
          origin,
          fetch,
          parameters: { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
        });
      const isRefused = ({ answer }: { answer: unknown }): boolean => {
        try {
          connector.auth.readToken(answer);
          return false;
        } catch (error) {
          return error instanceof ConnectorFailure;
        }
      };
      const first = await consent({ connector, origin, fetch });
      expect(first.parameters).toMatchObject({ state: 'state-1' });
      expect(isRefused(await exchange(first.code, first.verifier))).toBe(false);
      expect(isRefused(await exchange(first.code, first.verifier))).toBe(true);
      const second = await consent({ connector, origin, fetch });
      expect(isRefused(await exchange(second.code, 'another-verifier'))).toBe(true);
      const denied = await consent({ connector, origin, fetch, decision: 'deny' });
      expect(denied.parameters).toEqual({ error: 'access_denied', state: 'state-1' });
    });

    test('the connection can be tested, and every list of choices has some', async () => {
      const context = { http: opened.http(), connection: opened.connection };
      expect((await connector.test(context)).accountName).toMatch(/\w/);
      for (const [name, choices] of Object.entries(connector.options)) {
        const found = await choices(context);
        expect(found.length, name).toBeGreaterThan(0);
        expect(new Set(found.map(({ value }) => value)).size, name).toBe(found.length);
      }
    });

    test('the double’s state survives a restart, and a reset forgets it', async () => {
      const saved = JSON.parse(JSON.stringify(opened.sandbox.snapshot())) as unknown;
      opened.sandbox.reset();
      await expect(connector.test({ http: opened.http(), connection: opened.connection })).rejects.toMatchObject({
        kind: 'reauthorize',
      });
      opened.sandbox.restore(saved);
      expect((await connector.test({ http: opened.http(), connection: opened.connection })).accountName).toMatch(/\w/);
    });

    describe.each(runnable(connector))('%s', (id, node) => {
      const writes = node.effect === 'create' || node.effect === 'upsert';
      const match = writes ? 'POST ' : ' ';
      const run = (options?: Parameters<typeof runNode>[3]) => runNode(opened, id, node.example, options);

      test('works against the double and returns what it promises', async () => {
        const { port = 'out' } = await run();
        expect(portsOf(node)).toContain(port);
      });

      test.each(troubles.map((trouble) => [trouble.name, trouble] as const))(
        '%s',
        async (_, { fault, read, write }) => {
          opened.sandbox.fail({ ...fault, match });
          const failure = await failureOf(run());
          expect(failure.kind).toBe(writes ? write : read);
          if (fault.headers?.['Retry-After']) expect(failure.retryAfterMs).toBe(7_000);
          if (fault.kind === 'status') expect(failure.status).toBe(fault.status);
          expectNoSecrets(failure, opened);
        },
      );

      test('a silent vendor', async () => {
        opened.sandbox.fail({ match, kind: 'slow', delayMs: 2_000 });
        const http = opened.http({ signal: AbortSignal.timeout(20) });
        const failure = await failureOf(run({ http }));
        expect(failure.kind).toBe(writes ? 'ambiguous' : 'unavailable');
        expectNoSecrets(failure, opened);
      });

      test('a vendor that nobody can reach was sent nothing', async () => {
        const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
        const http = opened.http({ fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) });
        expect((await failureOf(run({ http }))).kind).toBe('unavailable');
      });

      test('a token that is none', async () => {
        const connection = { ...opened.connection, accessToken: 'not-a-token-of-anyone' };
        const failure = await failureOf(run({ connection }));
        expect(failure.kind).toBe('reauthorize');
      });

      test('a vendor that quotes our token back at us does not get it into an error', async () => {
        const token = opened.connection.accessToken;
        const body = {
          ok: false,
          error: `bad ${token}`,
          Fault: { type: 'ValidationFault', Error: [{ Message: token, Detail: token, code: token }] },
        };
        const http = opened.http({ fetch: () => Promise.resolve(Response.json(body, { status: 400 })) });
        expectNoSecrets(await failureOf(run({ http })), opened);
      });

      if (!writes) return;

      test.each(node.undo ? [node.undo] : [])('can be undone ($title), and undone again without harm', async (undo) => {
        const start = opened.sandbox.snapshot();
        const { output } = await run();
        expect(opened.sandbox.snapshot()).not.toEqual(start);
        const undone = async (): Promise<string> => {
          const given = { input: node.input.parse(node.example), output };
          const context = runContext(opened, node, node.example, { key: 'undo-1' });
          return await undo.run({ ...context, input: given as never }).then(
            () => 'undone',
            (error: unknown) => (error as ConnectorFailure).kind,
          );
        };
        expect(await undone()).toBe('undone');
        const again = await run({ key: 'key-2' });
        expect(again.output, 'what was undone is done anew').not.toEqual(output);
        expect(['undone', 'not_found']).toContain(await undone());
      });

      test('happens once, however the answer is lost', async () => {
        const start = opened.sandbox.snapshot();
        await run();
        const once = opened.sandbox.snapshot();
        expect(once).not.toEqual(start);
        for (const kind of ['drop_before', 'drop_after'] as const) {
          opened.sandbox.restore(start);
          opened.sandbox.fail({ match: 'POST ', kind });
          expect((await failureOf(run())).kind).toBe('ambiguous');
          const existing = await node.findExisting?.(runContext(opened, node, node.example));
          if (node.findExisting) expect(existing !== undefined, `${kind}: found`).toBe(kind === 'drop_after');
          if (existing) node.output.parse(existing.output);
          else await run();
          expect(opened.sandbox.snapshot(), kind).toEqual(once);
        }
      });

      if (node.effect === 'create' && node.idempotency !== 'key') return;

      test('the same again changes nothing', async () => {
        await run();
        const once = opened.sandbox.snapshot();
        await run();
        expect(opened.sandbox.snapshot()).toEqual(once);
      });
    });
  });
}

interface Field {
  readonly title?: string;
  readonly optionsFrom?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly items?: Field;
}

/** Fields of a form, those of its lists with them. */
function fieldsOf(schema: unknown): Field[] {
  const fields = Object.values((schema as Field).properties ?? {});
  return fields.flatMap((field) => [field, ...(field.items ? fieldsOf(field.items) : [])]);
}

function portsOf({ ports }: NodeType): readonly string[] {
  return (typeof ports === 'function' ? ports({}) : ports).map(({ id }) => id);
}

function runnable(connector: Connector): (readonly [string, NodeType])[] {
  return connector.nodes.filter((node) => node.kind !== 'trigger').map((node) => [node.id, node] as const);
}

async function failureOf(running: Promise<unknown>): Promise<ConnectorFailure> {
  const error: unknown = await running.then(
    () => new Error('it went well'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectorFailure);
  return error as ConnectorFailure;
}

function expectNoSecrets(failure: ConnectorFailure, { connection }: OpenedSandbox): void {
  const text = `${inspect(failure, { depth: 12, showHidden: true })} ${JSON.stringify(failure)} ${failure.stack ?? ''}`;
  for (const secret of [connection.accessToken, testClient.clientSecret]) expect(text).not.toContain(secret);
}
