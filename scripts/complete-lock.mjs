/**
 * Completes package-lock.json: a registry that serves only one platform's binaries leaves the others' entries out, and `npm ci` then refuses the file
 * anywhere. Every optional dependency without an entry gets one; npm fetches its content where the platform fits. Run it after each change of the lock.
 * @see https://github.com/npm/cli/issues/4828
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
const words = {
  os: {
    darwin: 'darwin',
    linux: 'linux',
    win32: 'win32',
    windows: 'win32',
    freebsd: 'freebsd',
    openbsd: 'openbsd',
    netbsd: 'netbsd',
    android: 'android',
    openharmony: 'openharmony',
    sunos: 'sunos',
    aix: 'aix',
  },
  cpu: {
    x64: 'x64',
    64: 'x64',
    arm64: 'arm64',
    arm: 'arm',
    ia32: 'ia32',
    ppc64: 'ppc64',
    ppc64le: 'ppc64',
    s390x: 's390x',
    riscv64: 'riscv64',
    loong64: 'loong64',
    mips64el: 'mips64el',
    wasm32: 'wasm32',
  },
  libc: { musl: 'musl', musleabihf: 'musl', gnu: 'glibc', gnueabihf: 'glibc' },
};

let added = 0;
for (const [path, entry] of Object.entries(lock.packages))
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolves(path, name) || !/^\d/.test(range)) continue;
    lock.packages[`node_modules/${name}`] = {
      version: range,
      optional: true,
      ...platformOf(name),
      ...(entry.dev ? { dev: true } : {}),
    };
    added += 1;
  }
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} entries for other platforms added`);

/** Whether npm would find the package from there: in its own node_modules, or in one further up. */
function resolves(path, name) {
  for (
    let folder = path;
    ;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : ''
  ) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

function platformOf(name) {
  const parts = name.split('/').at(-1).split('-');
  return Object.fromEntries(
    Object.entries(words).flatMap(([kind, known]) => {
      const found = parts.map((part) => known[part]).find(Boolean);
      return found ? [[kind, [found]]] : [];
    }),
  );
}
