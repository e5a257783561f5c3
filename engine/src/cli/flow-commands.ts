import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCatalog } from '@plumbline/nodes';
import { catalogInfo } from '@plumbline/workflows/catalog-info';
import { readFlowFile, type Finding } from '@plumbline/workflows/flow';
import type { FlowExport, FlowImported, FlowSummary, Page, Problem, RunDetail, RunSummary } from '../contract/index.ts';
import type { StudioClient } from '../demo/studio-client.ts';
import type { FlowCommand } from './arguments.ts';
import { CommandError, exitCodes, type ExitCode } from './usage.ts';

/** What commands work with. */
export interface CommandContext {
  readonly given: FlowCommand;
  /** Folder that paths are meant from. */
  readonly folder: string;
  /** A line for a person, or with `--json` for a program. */
  readonly say: (text: string) => void;
  /** Signs in; only commands that need a server call it. */
  readonly connect: () => Promise<{ readonly client: StudioClient; readonly origin: string }>;
}

/** Looks at files without a server: every problem of each is listed. */
export async function validate({ given, folder, say }: CommandContext): Promise<ExitCode> {
  const info = catalogInfo(await loadCatalog());
  const results = [];
  for (const target of given.targets) {
    const { file, findings } = readFlowFile(await text(folder, target), info);
    results.push({ file: target, valid: file !== undefined, findings });
    if (given.json) continue;
    say(`${target}: ${file ? 'valid' : 'not valid'}${findings.length > 0 ? `, ${findings.length} to look at` : ''}`);
    for (const finding of findings) say(inWords(finding));
  }
  if (given.json) say(JSON.stringify(results));
  return results.every(({ valid }) => valid) ? exitCodes.fine : exitCodes.failed;
}

/** Writes a flow to a file or to the output. */
export async function exportFlow({ given, folder, say, connect }: CommandContext): Promise<ExitCode> {
  const { client } = await connect();
  const flow = await findFlow(client, given.targets[0] ?? '');
  const { text, leftOut } = await ask<FlowExport>(
    client,
    'GET',
    `/api/flows/${flow.id}/export${given.version ? `?version=${given.version}` : ''}`,
  );
  if (given.out) await writeFile(resolve(folder, given.out), text);
  else say(text.trimEnd());
  for (const place of leftOut) process.stderr.write(`  Left out, because it is a secret: ${place}\n`);
  if (given.out)
    say(
      given.json ? JSON.stringify({ flowId: flow.id, file: given.out, leftOut }) : `"${flow.name}" is in ${given.out}.`,
    );
  return exitCodes.fine;
}

/** Takes a file in as a draft. */
export async function importFlow({ given, folder, say, connect }: CommandContext): Promise<ExitCode> {
  const content = await text(folder, given.targets[0] ?? '');
  const { client, origin } = await connect();
  const into = given.into ? (await findFlow(client, given.into)).id : undefined;
  const answer = await client.fetch('POST', '/api/flows/import', {
    text: content,
    dryRun: given.dryRun,
    ...(given.name ? { name: given.name } : {}),
    ...(into ? { into } : {}),
  });
  if (!answer.ok) {
    const problem = (await answer.json()) as Problem;
    if (problem.code !== 'flow_invalid') throw asError(problem);
    if (given.json) say(JSON.stringify(problem));
    else {
      say(`${given.targets[0]} was not imported:`);
      for (const finding of problem.findings ?? []) say(inWords(finding));
    }
    return exitCodes.failed;
  }
  const imported = (await answer.json()) as FlowImported;
  if (given.json) say(JSON.stringify(imported));
  else {
    say(
      given.dryRun
        ? `"${imported.name}" can be imported.`
        : `"${imported.name}" is imported as a draft: ${origin}/flows/${imported.flowId}`,
    );
    for (const [slot, name] of Object.entries(imported.connections))
      say(`  ${slot}: ${name ?? 'choose a connection in the studio'}`);
    for (const [asked, name] of Object.entries(imported.valueMaps))
      say(`  value map "${asked}": ${name ?? 'choose or make it in the studio'}`);
    for (const [asked, name] of Object.entries(imported.calledFlows))
      say(`  calls "${asked}": ${name ?? 'choose that flow in the studio'}`);
    for (const finding of imported.findings) say(inWords(finding));
  }
  return exitCodes.fine;
}

/** Starts a flow by hand and follows it to its end. */
export async function runFlow({ given, say, connect }: CommandContext): Promise<ExitCode> {
  const { client, origin } = await connect();
  const flow = await findFlow(client, given.targets[0] ?? '');
  const { eventId } = await ask<{ eventId: string }>(client, 'POST', `/api/flows/${flow.id}/start`, {
    values: given.values,
  });
  const until = Date.now() + given.timeoutMs;
  let told = '';
  for (let run: RunSummary | undefined; Date.now() < until; await sleep(200)) {
    [run] = (await ask<Page<RunSummary>>(client, 'GET', `/api/runs?flowId=${flow.id}&eventId=${eventId}`)).items;
    if (!run) continue;
    if (!given.json && run.status !== told) say(`${run.status.padEnd(10)} ${origin}/runs/${run.id}`);
    told = run.status;
    if (!run.finishedAt && run.status !== 'parked') continue;
    const detail = await ask<RunDetail>(client, 'GET', `/api/runs/${run.id}`);
    if (given.json)
      say(
        JSON.stringify({
          runId: run.id,
          status: run.status,
          error: run.error,
          steps: detail.steps.map(({ nodeId, iteration, status, output, error }) => ({
            nodeId,
            iteration,
            status,
            output,
            error,
          })),
        }),
      );
    else
      for (const step of detail.steps) {
        say(`  ${step.status.padEnd(10)} ${step.name}${step.iteration ? ` (${step.iteration})` : ''}`);
        if (step.error) say(`             ${step.error.message} ${step.error.fix}`);
      }
    if (run.status === 'parked') return exitCodes.unfinished;
    return run.status === 'succeeded' ? exitCodes.fine : exitCodes.failed;
  }
  throw new CommandError(
    exitCodes.unfinished,
    told
      ? `The run is still ${told} after ${given.timeoutMs / 1_000} s.`
      : `No run of "${flow.name}" began within ${given.timeoutMs / 1_000} s.`,
    'It goes on by itself. Look at it in the studio, or wait longer with --timeout.',
  );
}

async function text(folder: string, target: string): Promise<string> {
  return await readFile(resolve(folder, target), 'utf8').catch(() => {
    throw new CommandError(
      exitCodes.usage,
      `The file ${target} cannot be read.`,
      'Check its name and that it is there.',
    );
  });
}

async function findFlow(client: StudioClient, wanted: string): Promise<FlowSummary> {
  const { items } = await ask<Page<FlowSummary>>(client, 'GET', '/api/flows');
  const found = items.filter(({ id, name }) => id === wanted || name === wanted);
  const [flow] = found;
  if (!flow)
    throw new CommandError(
      exitCodes.failed,
      `There is no flow "${wanted}".`,
      `These are there: ${items.map(({ name }) => `"${name}"`).join(', ') || 'none'}.`,
    );
  if (found.length > 1)
    throw new CommandError(
      exitCodes.failed,
      `${found.length} flows are called "${wanted}".`,
      `Give the id of one: ${found.map(({ id }) => id).join(', ')}.`,
    );
  return flow;
}

async function ask<T>(client: StudioClient, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await client.fetch(method, path, body);
  if (!answer.ok) throw asError((await answer.json()) as Problem);
  return (await answer.json()) as T;
}

function asError({ detail, fix }: Problem): CommandError {
  return new CommandError(exitCodes.failed, detail, fix ?? 'Look at it in the studio.');
}

function inWords({ severity, code, nodeId, field, message, fix }: Finding): string {
  const place = [nodeId, field].filter(Boolean).join('.');
  return `  ${severity.padEnd(7)} ${code}${place ? ` at ${place}` : ''}: ${message} ${fix}`;
}
