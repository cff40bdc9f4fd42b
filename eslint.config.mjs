// What the compiler cannot see: forgotten promises, unhandled cases, floats near money, hidden clocks and configuration.
// Formatting is prettier's; imports between folders are .dependency-cruiser.mjs's.
import tseslint from 'typescript-eslint';

const ban = (selector, message) => ({ selector, message });

const FLOATS = 'Amounts are bigint minor units (domain/shared/money.ts); binary floats lose cents.';
const money = [
  ban('CallExpression[callee.name="parseFloat"]', FLOATS),
  ban('MemberExpression[object.name="Number"][property.name="parseFloat"]', FLOATS),
  ban('CallExpression[callee.name="Number"]', `${FLOATS} For counts: Number.parseInt.`),
  ban('CallExpression > Identifier.arguments[name=/^(Number|parseFloat)$/]', FLOATS),
  ban('UnaryExpression[operator="+"]', `${FLOATS} Unary plus makes one.`),
  ban('MemberExpression[property.name="toFixed"]', `${FLOATS} Use formatAmount.`),
];

const PORTS = 'comes in by a port (application/ports), so that the core stays deterministic.';
const ports = [
  ban('MemberExpression[object.name="Date"][property.name="now"]', `Time ${PORTS}`),
  ban('NewExpression[callee.name="Date"][arguments.length=0]', `Time ${PORTS}`),
  ban('CallExpression[callee.name="Date"]', `Time ${PORTS}`),
  ban('MemberExpression[object.name="Math"][property.name="random"]', `Randomness ${PORTS}`),
  ban('MemberExpression[property.name=/^random(UUID|Bytes|Int)$/]', `Randomness ${PORTS}`),
  ban('ImportSpecifier[imported.name=/^random(UUID|Bytes|Int)$/]', `Randomness ${PORTS}`),
];

const CONFIG = 'The environment is read in main/config.ts only; take what you need as a parameter.';
const environment = [
  ban('MemberExpression[object.name="process"][property.name="env"]', CONFIG),
  ban('VariableDeclarator[init.name="process"] > ObjectPattern > Property[key.name="env"]', CONFIG),
  ban('ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name="env"]', CONFIG),
];

const restrict = (files, bans, ignores = []) => ({
  files,
  ignores,
  rules: { 'no-restricted-syntax': ['error', ...bans] },
});

export default tseslint.config(
  { ignores: ['build/', 'data/', 'node_modules/', '.tap/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }], // Express 5 takes async handlers
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    // tap's subtests return promises that tap itself waits for.
    files: ['tests/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] },
      ],
    },
  },
  // One block per set of folders: in a flat config the last value of a rule wins, the lists do not add up.
  restrict(['domain/**/*.ts', 'application/**/*.ts', 'projections/**/*.ts'], [...money, ...ports, ...environment]),
  // The one place where decimals become minor units and text.
  restrict(['domain/shared/money.ts'], [...ports, ...environment]),
  restrict(['http/**/*.ts'], [...ports, ...environment]),
  restrict(['infrastructure/**/*.ts', 'main/**/*.ts'], environment, ['main/config.ts']),
);
