import { compareDecimals, readDecimal, zero, type Decimal } from './decimal.ts';

/**
 * The stages that are asked for an amount, in their order: those that begin at or below it. A credit counts by its size, so that a large one does not
 * slip under every stage; without an amount all stages are asked.
 * @throws TypeError when an amount is no decimal number
 */
export function stagesFor<S extends { readonly from: string }>(
  stages: readonly S[],
  amount: string | undefined,
): readonly S[] {
  if (amount === undefined) return stages;
  const size = sizeOf(amount);
  return stages.filter(({ from }) => compareDecimals(sizeOf(from), size) <= 0);
}

function sizeOf(text: string): Decimal {
  const read = text.trim() === '' ? zero : readDecimal(text.trim());
  if (!read) throw new TypeError(`"${text.slice(0, 60)}" is not an amount`);
  return { ...read, digits: read.digits < 0n ? -read.digits : read.digits };
}
