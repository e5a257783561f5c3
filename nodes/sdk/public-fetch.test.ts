import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkHeaders, checkUrl, requirePublicAddress } from './check-url.ts';
import { createPublicFetch, publicLookup } from './public-fetch.ts';
import { followRedirect, type Hop } from './redirect.ts';
import { serve } from './testing-server.ts';

/** Each is refused as text, at save and at every call. */
const forbiddenUrls = [
  // this machine, by name
  'https://localhost',
  'https://LOCALHOST',
  'https://LOCALHOST.',
  'https://foo.localhost',
  'https://localhost.localdomain',
  'http://127.0.0.1',
  // this network, by name
  'https://router.local',
  'https://db.internal',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://nas.lan',
  'https://intranet.corp',
  'https://printer.home.arpa',
  'https://intranet',
  'https://example.com.',
  // cloud metadata
  'http://169.254.169.254/latest/meta-data',
  'https://169.254.169.254/',
  'https://100.100.100.200',
  'https://169.254.170.2',
  'https://192.0.0.192',
  'https://168.63.129.16',
  'https://[fd00:ec2::254]',
  // IPv6 and what hides in it
  'https://[::1]',
  'https://[::]',
  'https://[::ffff:127.0.0.1]',
  'https://[::ffff:a9fe:a9fe]',
  'https://[::127.0.0.1]',
  'https://[64:ff9b::7f00:1]',
  'https://[64:ff9b:1::a9fe:a9fe]',
  'https://[fe80::1]',
  'https://[fe80::1%25eth0]',
  'https://[fc00::1]',
  'https://[fec0::1]',
  'https://[2002:7f00:1::]',
  'https://[2002:c0a8:101::1]',
  'https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
  'https://[2001:db8::1]',
  'https://[ff02::1]',
  'https://[100::1]',
  'https://[4000::1]',
  // other ways to write 127.0.0.1 and 0.0.0.0
  'https://2130706433',
  'https://0177.0.0.1',
  'https://0x7f.1',
  'https://0x7f000001',
  'https://127.1',
  'https://0',
  'https://127.0.0.1.',
  'https://１２７.0.0.1',
  'https://127。0。0。1',
  // private and special ranges
  'https://10.0.0.1',
  'https://172.16.0.1',
  'https://172.31.255.255',
  'https://192.168.1.1',
  'https://100.64.0.1',
  'https://198.18.0.1',
  'https://198.19.255.255',
  'https://224.0.0.1',
  'https://240.0.0.1',
  'https://255.255.255.255',
  'https://0.0.0.0',
  'https://192.0.2.1',
  'https://203.0.113.1',
  // schemes
  'http://example.com',
  'file:///etc/passwd',
  'gopher://example.com',
  'ftp://example.com',
  'data:text/plain,hi',
  'javascript:alert(1)',
  'unix:/var/run/docker.sock',
  'https+unix://%2Fvar%2Frun/x',
  'ws://example.com',
  'blob:https://example.com/1',
  // who is it, really?
  'https://good.com@evil.com',
  'https://user:secret@example.com',
  'https://@example.com',
  'https://evil.com#@good.com\\@x',
  'https://example.com\\@127.0.0.1',
  'https:\\\\example.com',
  'https://exam\tple.com',
  'https://exam\nple.com',
  ' https://example.com',
  'https://example.com ',
  'https://exam\u00a0ple.com',
  'https://example.com\u0000',
  'https://exa%00mple.com',
  'https://%6c%6f%63%61%6c%68%6f%73%74',
  // ports
  'https://example.com:22',
  'https://example.com:25',
  'https://example.com:5432',
  'https://example.com:6379',
  'https://example.com:7233',
  'https://example.com:80',
  'https://example.com:8443',
  // no address at all
  '',
  'example.com',
  '//example.com',
  'https://',
  `https://example.com/${'a'.repeat(2_000)}`,
];

const allowedUrls = [
  'https://example.com',
  'https://example.com:443/path?x=1#y',
  'https://8.8.8.8',
  'https://[2606:4700:4700::1111]/',
  'https://bücher.example/',
  'https://evil.com#@good.com',
  'https://internal.example.com',
];

describe('an address as text', () => {
  test(`the table has at least 60 forms`, () => expect(new Set(forbiddenUrls).size).toBeGreaterThanOrEqual(60));

  test.each(forbiddenUrls)('%j is refused', (url) => {
    expect(() => checkUrl(url)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'url_forbidden' }));
  });

  test.each(allowedUrls)('%j may be called', (url) => expect(checkUrl(url).protocol).toBe('https:'));

  test('a name in another script is shown as it is resolved', () =>
    expect(checkUrl('https://аpple.com').hostname).toBe('xn--pple-43d.com'));

  test('http on port 80 takes a flag, and only that', () => {
    expect(checkUrl('http://example.com', { allowHttp: true }).href).toBe('http://example.com/');
    for (const url of ['http://example.com:8080', 'http://127.0.0.1', 'ftp://example.com'])
      expect(() => checkUrl(url, { allowHttp: true })).toThrow(expect.objectContaining({ code: 'url_forbidden' }));
  });

  test('a sandbox on loopback is allowed by its exact origin', () => {
    const allow = ['http://127.0.0.1:4400'];
    expect(checkUrl('http://127.0.0.1:4400/sandbox/slack', { allow }).port).toBe('4400');
    for (const url of [
      'http://127.0.0.1:4401',
      'https://127.0.0.1:4400',
      'http://localhost:4400',
      'http://x@127.0.0.1:4400',
    ])
      expect(() => checkUrl(url, { allow })).toThrow(expect.objectContaining({ code: 'url_forbidden' }));
  });
});

test.each(['127.0.0.1', '::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', 'fe80::1%eth0', 'nonsense', ''])(
  'a name that resolves to %j is refused',
  (address) => {
    expect(() => requirePublicAddress(address)).toThrow(expect.objectContaining({ code: 'url_forbidden' }));
  },
);

describe('headers', () => {
  test.each([
    ['Host', 'evil.com'],
    ['host', 'evil.com'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '0'],
    ['Connection', 'close'],
    ['Upgrade', 'h2c'],
    ['TE', 'trailers'],
    ['X-A\r\nX-B', '1'],
    ['X-A', '1\r\nHost: evil.com'],
    ['X-A', '1\n'],
    ['X-A', '\u0000'],
    ['X A', '1'],
    ['X-A:', '1'],
    ['', '1'],
    ['X-A', 'ключ'],
  ])('%j: %j is refused', (name, value) => {
    expect(() => checkHeaders({ [name]: value })).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'header_forbidden' }),
    );
  });

  test('ordinary ones pass', () =>
    expect(() => checkHeaders({ Authorization: 'Bearer x', 'X-Request-Id': 'a b' })).not.toThrow());
});

/** Listens on loopback and counts what reaches it. */
class Canary {
  connections = 0;
  bytes = 0;
  readonly #server: Server = createServer((socket) => {
    this.connections++;
    socket.on('data', (data) => {
      this.bytes += data.length;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhit');
    });
    socket.on('error', () => undefined);
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

describe('at connect', () => {
  const canary = new Canary();
  let port: number;
  beforeAll(async () => {
    port = await canary.listen();
  });
  beforeEach(() => {
    canary.connections = 0;
    canary.bytes = 0;
  });
  afterAll(() => canary.close());

  const resolvingTo = (...answers: readonly (readonly string[])[]) => {
    let asked = 0;
    return async () =>
      (answers[Math.min(asked++, answers.length - 1)] ?? []).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
  };

  test('the canary sings when it is reached', async () => {
    const fetch = createPublicFetch({ allow: [`http://127.0.0.1:${port}`] });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hit');
    expect(canary.bytes).toBeGreaterThan(0);
  });

  test.each([
    ['to loopback', [['127.0.0.1']]],
    ['to loopback over IPv6', [['::1']]],
    ['to a mapped address', [['::ffff:127.0.0.1']]],
    ['to metadata', [['169.254.169.254']]],
    ['to a public and a private address', [['93.184.216.34', '127.0.0.1']]],
    ['to nothing', [[]]],
  ])('a public name that resolves %s is refused', async (_, answers) => {
    const fetch = createPublicFetch({ lookup: resolvingTo(...answers) });
    await expect(fetch('https://rebind.example/')).rejects.toMatchObject({ kind: 'invalid', code: 'url_forbidden' });
    expect(canary.connections).toBe(0);
  });

  test('a name that is public once and private the next time is refused the next time, in the lookup that connect itself makes', async () => {
    const lookup = publicLookup(resolvingTo(['93.184.216.34'], ['127.0.0.1']));
    const dial = () =>
      new Promise((resolve) =>
        lookup('rebind.example', { all: true }, (error, addresses) => resolve(error ?? addresses)),
      );
    expect(await dial()).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(await dial()).toMatchObject({ code: 'url_forbidden' });
  });

  test('a name that rebinds to the canary’s address sends it no byte', async () => {
    const fetch = createPublicFetch({ lookup: resolvingTo(['127.0.0.1']), allowHttp: true });
    for (const url of ['http://rebind.example/', 'https://rebind.example/'])
      await expect(fetch(url)).rejects.toMatchObject({ code: 'url_forbidden' });
    expect({ connections: canary.connections, bytes: canary.bytes }).toEqual({ connections: 0, bytes: 0 });
  });

  test.each(['Host', 'Transfer-Encoding', 'Content-Length'])('a request that sets %s is not sent', async (name) => {
    const fetch = createPublicFetch({ allow: [`http://127.0.0.1:${port}`] });
    await expect(fetch(`http://127.0.0.1:${port}/`, { headers: { [name]: '1' } })).rejects.toMatchObject({
      code: 'header_forbidden',
    });
    expect(canary.connections).toBe(0);
  });

  describe('redirects', () => {
    test.each([301, 302, 303, 307, 308])(
      '%i to a private address is refused before anything is sent',
      async (status) => {
        await using server = await serve(
          () => new Response(null, { status, headers: { Location: `http://127.0.0.1:${port}/` } }),
        );
        const fetch = createPublicFetch({ allow: [server.origin] });
        await expect(fetch(server.origin)).rejects.toMatchObject({ code: 'url_forbidden' });
        expect(canary.connections).toBe(0);
      },
    );

    test.each([
      'file:///etc/passwd',
      'http://[::1]/',
      'https://user:pw@example.com/',
      'https://example.com:22/',
      'http://',
    ])('a redirect to %s is refused', async (location) => {
      await using server = await serve(() => new Response(null, { status: 302, headers: { Location: location } }));
      const fetch = createPublicFetch({ allow: [server.origin] });
      await expect(fetch(server.origin)).rejects.toMatchObject({ code: 'url_forbidden' });
    });

    test('three are followed, a fourth is not', async () => {
      let hops = 3;
      await using server = await serve(() =>
        hops-- > 0 ? new Response(null, { status: 302, headers: { Location: '/next' } }) : new Response('there'),
      );
      const fetch = createPublicFetch({ allow: [server.origin] });
      expect(await (await fetch(server.origin)).text()).toBe('there');
      hops = 30;
      await expect(fetch(server.origin)).rejects.toMatchObject({ code: 'url_forbidden' });
      expect(hops).toBe(26);
    });

    test('a redirect cannot lead from outside to an allowed private origin', async () => {
      await using inside = await serve(() => new Response('secret'));
      await using other = await serve(() => new Response(null, { status: 302, headers: { Location: inside.origin } }));
      // Both are allowed to be asked for; none may send us to the other.
      const fetch = createPublicFetch({ allow: [inside.origin, other.origin] });
      await expect(fetch(other.origin)).rejects.toMatchObject({ code: 'url_forbidden' });
      expect(await (await fetch(inside.origin)).text()).toBe('secret');
    });

    const hop: Hop = {
      url: new URL('https://api.example.com/a'),
      method: 'POST',
      body: 'x',
      headers: new Headers({ Authorization: 'Bearer t', Cookie: 'c=1', 'X-Kept': '1', 'Content-Type': 'text/plain' }),
    };
    const redirected = (location: string, status = 307) =>
      followRedirect(hop, new Response(null, { status, headers: { Location: location } }), {});

    test.each(['https://other.example.com/', 'https://api.example.org/', '//evil.example/'])(
      'across origins, to %s, credentials stay behind',
      (location) => {
        expect([...(redirected(location)?.headers.keys() ?? [])]).toEqual(['content-type', 'x-kept']);
      },
    );

    test('within the origin they go along', () => {
      expect(redirected('/b')).toMatchObject({ url: new URL('https://api.example.com/b'), method: 'POST', body: 'x' });
      expect(redirected('/b')?.headers.get('authorization')).toBe('Bearer t');
    });

    test.each(['http://api.example.com/', 'https://api.example.com:8443/', 'https://127.0.0.1/', '\\\\127.0.0.1\\x'])(
      'a redirect from outside to %s is refused',
      (location) => {
        expect(() => redirected(location)).toThrow(expect.objectContaining({ code: 'url_forbidden' }));
      },
    );

    test('a POST becomes a GET without a body after 302 and stays one after 307', async () => {
      const seen: string[] = [];
      await using server = await serve(async (request) => {
        const url = new URL(request.url);
        seen.push(`${request.method} ${url.pathname} ${await request.text()}`);
        return url.pathname === '/there'
          ? new Response('ok')
          : new Response(null, { status: Number(url.pathname.slice(1)), headers: { Location: '/there' } });
      });
      const fetch = createPublicFetch({ allow: [server.origin] });
      for (const status of [302, 307]) await fetch(`${server.origin}/${status}`, { method: 'POST', body: 'x' });
      expect(seen).toEqual(['POST /302 x', 'GET /there ', 'POST /307 x', 'POST /there x']);
    });
  });
});
