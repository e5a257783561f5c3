import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { workflowsPath } from '../replay/histories.ts';

/** The workflow code as it is, or as it is somewhere else. */
export async function bundle(path = workflowsPath): Promise<WorkflowBundleWithSourceMap> {
  return await bundleWorkflowCode({ workflowsPath: path, logger: new DefaultLogger('ERROR') });
}

/** The workflow code of another build: the carrier's source, changed. */
export async function changedBundle(change: (source: string) => string): Promise<WorkflowBundleWithSourceMap> {
  // Beside the real code, where the same packages are found.
  const build = fileURLToPath(new URL('../../workflows/build/', import.meta.url));
  await mkdir(build, { recursive: true });
  const folder = await mkdtemp(join(build, 'changed-'));
  try {
    await cp(dirname(workflowsPath), join(folder, 'workflows'), { recursive: true });
    await cp(
      join(dirname(workflowsPath), '..', 'activities', 'contract.ts'),
      join(folder, 'activities', 'contract.ts'),
    );
    const file = join(folder, 'workflows', 'carrier.ts');
    await writeFile(file, change(await readFile(file, 'utf8')));
    return await bundle(join(folder, 'workflows', 'index.ts'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * An incompatible build: carries a run on first and waits for its time then.
 * @throws Error when the code is written differently by now, and this has to be too.
 */
export function waitAfterwards(source: string): string {
  const wait = / {4}if \(report\.wakeInMs !== 0 && !lane\.told\) \{\n[\s\S]*?\n {4}\}\n/.exec(source)?.[0];
  const carry = / {4}\(\{ report, call \} = await lane\.hold\.take\(\(\) => \{[\s\S]*?\n {4}\}\)\);\n/.exec(
    source,
  )?.[0];
  if (!wait || !carry) throw new Error('carrier.ts no longer has the two commands that this test exchanges');
  const timer = wait.replace('report.wakeInMs !== 0', 'waitMs !== 0').replace('report.wakeInMs', 'waitMs');
  return source.replace(wait, '').replace(carry, `    const waitMs = report.wakeInMs;\n${carry}${timer}`);
}

const CARRY_ON = '    const { runId } = report;\n';

/** A build that does the same, and says in the worker's log that it is the one that does it. */
export function sayWhoCarriesOn(name: string): (source: string) => string {
  return (source) => carryOn(source.replace('  workflowInfo,\n', '  workflowInfo,\n  log,\n'), `log.warn('${name}');`);
}

/** A build that does more, for workflows that begin under it or have not come so far: those under way go on as they began. */
export function patchedBuild(name: string): (source: string) => string {
  return (source) =>
    carryOn(
      source.replace('  workflowInfo,\n', '  workflowInfo,\n  log,\n  patched,\n'),
      `if (patched('${name}')) { log.warn('${name}'); await sleep(1); }`,
    );
}

function carryOn(source: string, doing: string): string {
  if (!source.includes(CARRY_ON)) throw new Error('carrier.ts no longer has the place at which this build differs');
  return source.replace(CARRY_ON, `${CARRY_ON}    ${doing}\n`);
}
