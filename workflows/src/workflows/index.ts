export { runCarrier } from './carrier.ts';
