export { compile, parseFlow, type Compiled } from './compile.ts';
export { parseExpression } from './expression.ts';
export { flowInterface } from './flow-interface.ts';
export { checkStructure, type Structure } from './structure.ts';
export { outputSchema, scopeSchema } from './mappings.ts';
export { isContainer, isLoop, isTooDeep, leadsInside, containersAround, CONTAINER_DEPTH, LOOP_DEPTH } from './loops.ts';
export { defaultPolicy, isScope } from './scopes.ts';
