export { compile, parseFlow, type Compiled } from './compile.ts';
export { parseExpression } from './expression.ts';
export { checkStructure, type Structure } from './structure.ts';
export { outputSchema, scopeSchema } from './mappings.ts';
export { isLoop, leadsInside, loopsAround, LOOP_DEPTH } from './loops.ts';
