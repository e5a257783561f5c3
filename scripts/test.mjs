/**
 * `npm test`: the checks, then unit, integration and end-to-end tests; ends with `N passed, N failed`. Arguments go to vitest
 * (`npm test -- nodes` runs the tests whose path has "nodes" in it, without the checks).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks.mjs';
import { chromiumAdvice, findChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2);
const tally = filters.length > 0 ? { passed: 0, failed: 0 } : await runChecks();

const chromium = findChromium();
if (!chromium) console.log(`  Chromium was not found, so the tests in a browser will fail. ${chromiumAdvice}`);

const folder = mkdtempSync(join(tmpdir(), 'plumbline-results-'));
const report = join(folder, 'vitest.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const code = await new Promise((resolve) => {
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...(chromium ? { PLUMBLINE_CHROMIUM: chromium } : {}) },
    },
  );
  child.on('exit', (exit, signal) => resolve(exit ?? (signal ? 1 : 0)));
});
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  tally.passed += numPassedTests;
  // A file that could not be loaded has no tests to fail.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  tally.failed += numFailedTests + (numFailedTestSuites > 0 ? broken : 0);
} catch {
  tally.failed += 1;
}
rmSync(folder, { recursive: true, force: true });
if (code !== 0 && tally.failed === 0) tally.failed = 1;
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);
