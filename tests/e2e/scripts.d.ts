/** The repository's own plain JavaScript, as the tests use it. */
declare module '*/scripts/chromium.mjs' {
  export function findChromium(): string | undefined;
  export const chromiumAdvice: string;
}
