export * from './canonical.ts';
export * from './catalog.ts';
export * from './compile/index.ts';
export * from './finding.ts';
export * from './plan.ts';
export * from './schedule.ts';
export * from './port.ts';
export * from './schema.ts';
