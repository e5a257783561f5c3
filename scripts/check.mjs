/** `npm run check`: format, lint, types, arrows, dead code. */
import { runChecks } from './checks.mjs';

const { failed } = await runChecks();
process.exit(failed > 0 ? 1 : 0);
