/** How large a document may be, and how long reading it may take. */
export const documentLimits = {
  fileBytes: 10 * 1024 * 1024,
  /** Of all that is packed into it, once unpacked. */
  unpackedBytes: 100 * 1024 * 1024,
  entries: 1_000,
  /** Unpacked to packed. Files that stay under a megabyte may be as regular as they like. */
  ratio: 100,
  ratioFromBytes: 1024 * 1024,
  rows: 50_000,
  columns: 500,
  cells: 1_000_000,
  /** As many as a cell of a spreadsheet holds. */
  cell: 32_767,
  pages: 1_000,
  text: 2_000_000,
  ms: 20_000,
  heapMb: 256,
  /** Of the whole process that reads it; what it unpacks is not on its heap. */
  memoryMb: 768,
} as const;
