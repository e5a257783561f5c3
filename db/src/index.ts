export { createVault, SealBrokenError, type DataKey, type MasterKey, type Place, type Vault } from './crypto.ts';
export { DataError, json } from './data-error.ts';
export { DispatcherStore, openDispatcherStore, type RunWake, type UnconfirmedRun } from './dispatcher-store.ts';
export { entities, searchText, statusesOf, type Entity, type EntityId } from './entities/index.ts';
export { listen } from './listen.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
export { createPool } from './pool.ts';
export { literal, openStore, Store, type Transaction } from './store.ts';
export type { Sealed, Tables } from './tables.ts';
