/** Finds the browser the end-to-end tests drive, and installs it where that can be done. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const places = [
  ...(process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) =>
      ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe', 'msedge.exe'].map(
        (name) => join(folder, name),
      ),
    ),
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Path of a Chromium; undefined when there is none and none could be installed. `PLUMBLINE_CHROMIUM` names one. */
export function findChromium() {
  if (process.env.PLUMBLINE_CHROMIUM) return process.env.PLUMBLINE_CHROMIUM;
  return places.find(isExecutable) ?? installed();
}

export const chromiumAdvice =
  'Install Chromium or Chrome (Debian, Ubuntu: "sudo apt-get install chromium"; macOS: "brew install --cask chromium"), or name one with PLUMBLINE_CHROMIUM.';

/** As root on Debian and its kin the package manager can do it. */
function installed() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0)
    return undefined;
  console.log('  Chromium     installing it with apt-get (about a minute)');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env: environment, stdio: 'ignore' }).status === 0;
  const install = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  if (!install() && !(apt('update') && install())) return undefined;
  return places.find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
