/** Imports run studio → engine → workflows → { nodes, db }, and inside of workflows the durable code stays deterministic. */
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      // A tree of JSON draws itself.
      from: { pathNot: '^studio/src/lib/ui/JsonTree\\.svelte$' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'db-is-a-leaf',
      severity: 'error',
      from: { path: '^db/' },
      to: { path: '^(nodes|workflows|engine|studio)/' },
    },
    {
      name: 'nodes-are-a-leaf',
      severity: 'error',
      from: { path: '^nodes/' },
      to: { path: '^(db|workflows|engine|studio)/' },
    },
    {
      name: 'workflows-know-no-engine',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^(engine|studio)/' },
    },
    { name: 'engine-knows-no-studio', severity: 'error', from: { path: '^engine/' }, to: { path: '^studio/' } },
    {
      name: 'studio-sees-the-contract-and-the-flow',
      comment: 'The studio runs in a browser: of ours it may use the pure flow code, and types of the API.',
      severity: 'error',
      from: { path: '^studio/' },
      to: { path: '^(db|nodes|engine|workflows)/', pathNot: '^workflows/src/flow/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'durable-code-is-deterministic',
      severity: 'error',
      from: { path: '^workflows/src/workflows/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: [
          '^workflows/src/(workflows|flow)/',
          '^workflows/src/activities/contract\\.ts$',
          '^node_modules/@temporalio/(workflow|common)/',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'flow-code-is-pure',
      severity: 'error',
      from: { path: '^workflows/src/flow/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: [
          '^workflows/src/flow/',
          '^workflows/src/evaluate/linear-regex\\.ts$',
          '^node_modules/(zod|jsonata|re2js|croner|cronstrue)/',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'connectors-do-not-know-each-other',
      severity: 'error',
      from: { path: '^nodes/connectors/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^nodes/(connectors|core)/', pathNot: '^nodes/connectors/$1/' },
    },
    {
      name: 'tests-are-not-shipped',
      severity: 'error',
      from: { pathNot: '(\\.test\\.ts|/testing[^/]*\\.ts|conformance\\.ts)$|^tests/|^vitest' },
      to: { path: '(\\.test\\.ts|conformance\\.ts)$' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^\\$|^\\./\\$types$|^@lucide/svelte/icons/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(build|\\.svelte-kit)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types', 'svelte'],
      extensions: ['.ts', '.js', '.mjs', '.svelte'],
    },
  },
};
