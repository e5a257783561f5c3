export * from './sdk/index.ts';
export { loadCatalog } from './catalog.ts';
