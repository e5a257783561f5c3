import { openLink, type Link } from './bad-network.ts';
import { testPlatform, type TestPlatform } from './platform.ts';
import { startMockVendor, type MockVendor } from './mock-vendor.ts';

/** The platform with a network that can be made bad on every way that leads out of its processes. */
export interface PlatformBehindNetwork extends AsyncDisposable {
  readonly up: TestPlatform;
  readonly vendor: MockVendor;
  /** Where the vendor is reached, over the way that leads to it. */
  readonly vendorOrigin: string;
  /** By name: `api-postgres`, `worker-vendor`. */
  readonly ways: ReadonlyMap<string, Link>;
}

export async function platformBehindNetwork(processes: {
  readonly workers: number;
  readonly apis: number;
}): Promise<PlatformBehindNetwork> {
  const vendor = await startMockVendor();
  const toVendor = await openLink(vendor.port);
  const ways = new Map([['worker-vendor', toVendor]]);
  const vendorOrigin = `http://127.0.0.1:${toVendor.port}`;
  const up = await testPlatform(
    { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendorOrigin },
    {
      ...{ ...processes, fsync: true },
      route: async (from, to, address) => {
        const way = `${from}-${to}`;
        const link = ways.get(way) ?? (await openLink(Number(address.split(':')[1])));
        ways.set(way, link);
        return `127.0.0.1:${link.port}`;
      },
    },
  );
  return {
    ...{ up, vendor, vendorOrigin, ways },
    [Symbol.asyncDispose]: async () => {
      await up[Symbol.asyncDispose]();
      for (const link of ways.values()) await link[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
    },
  };
}
