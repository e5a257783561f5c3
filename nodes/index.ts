export * from './sdk/index.ts';
export { loadCatalog } from './catalog.ts';
export { readCsv, writeCsv } from './core/csv-text.ts';
