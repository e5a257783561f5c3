/** What an event of the bench carries: ten lines to add up, three fields. */
export interface BenchEvent {
  readonly id: string;
  readonly vendor: string;
  readonly project: string;
  readonly lines: readonly { readonly amount: number }[];
}

/** Something that does the bench's job for each event sent to it. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Hands over one event; resolves when it is accepted. */
  send(event: BenchEvent): Promise<void>;
}

export function benchEvent(id: string): BenchEvent {
  return {
    id,
    vendor: 'Swannanoa Lumber & Truss',
    project: 'Lot 14, Fern Hollow',
    lines: Array.from({ length: 10 }, (_, index) => ({ amount: 100 + index })),
  };
}
