/** `npm run histories`: plays every situation and writes what Temporal recorded, one file each, in place of what was there. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { historiesFolder } from './histories.ts';
import { openRecorder } from './recorder.ts';
import { situations } from './situations.ts';

/** So many scenes are played at once. */
const SIDE_BY_SIDE = 16;

const recorder = await openRecorder();
await rm(historiesFolder, { recursive: true, force: true });
await mkdir(historiesFolder, { recursive: true });
const waiting = Object.entries(situations)

  .reverse();
let written = 0;
const work = async (): Promise<void> => {
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [name, { runs = 1, script, scripts, play }] = next;
    const histories = await recorder.record({ runs, scripts: scripts ?? (script ? [script] : []), play });
    const file = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`;
    await writeFile(new URL(file, historiesFolder), `${JSON.stringify({ name, histories })}\n`);
    written += 1;
  }
};
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
await recorder[Symbol.asyncDispose]();
process.stdout.write(`${written} situations recorded\n`);
process.exit(0);
