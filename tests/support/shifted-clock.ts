/** Loaded into our processes before anything else: their clock goes wrong by as much as a file says, for each by its name. @see clocks.ts */
import { readFileSync } from 'node:fs';

const file = process.env['PLUMBLINE_TEST_CLOCKS'];
if (file !== undefined && /(server|worker)-main\.ts$/.test(process.argv[1] ?? '')) {
  const RightDate = Date;
  let shiftMs = 0;
  const read = (): void => {
    const shifts = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, number>>;
    shiftMs = shifts[process.env['PLUMBLINE_PROCESS'] ?? ''] ?? 0;
  };
  read();
  setInterval(read, 50).unref();
  class ShiftedDate extends RightDate {
    constructor(...given: readonly unknown[]) {
      if (given.length === 0) super(ShiftedDate.now());
      else super(...(given as [number]));
    }
    static override now(): number {
      return RightDate.now() + shiftMs;
    }
    static override [Symbol.hasInstance](value: unknown): boolean {
      return Object.prototype.toString.call(value) === '[object Date]';
    }
  }
  globalThis.Date = ShiftedDate as unknown as DateConstructor;
}
