// Runs the compiled tests with tap, prints each file's outcome and every failure, and ends with `N passed, N failed`.
// Usage: node tests/support/run-tests.mjs [part of a path …]   e.g. `npm test -- contract`
// Environment: TEST_TIMEOUT_SECONDS for one file (default 300), TEST_JOBS files at a time (default 2).
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from 'tap-parser';

const timeoutSeconds = process.env.TEST_TIMEOUT_SECONDS ?? '300';
const jobs = process.env.TEST_JOBS ?? '2';
const filters = process.argv.slice(2);

function fail(message) {
  console.log(message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

/** Test sources, so that a compiled test whose source is gone does not run. */
function testFiles() {
  return readdirSync('tests', { recursive: true })
    .map((name) => join('tests', name))
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .sort();
}

const compiled = (source) => join('build', source.replace(/\.ts$/, '.js'));
const sourceOf = (name) => name.replace(/^build\//, '').replace(/\.js$/, '.ts');

function indent(text) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function printFailure(path, result) {
  const diag = result.diag ?? {};
  console.log(`FAIL ${path.join(' > ')}`);
  if (diag.at?.fileName) console.log(`    at ${diag.at.fileName}:${diag.at.lineNumber}:${diag.at.columnNumber}`);
  if (diag.diff) console.log(indent(diag.diff));
  else if ('found' in diag || 'wanted' in diag) {
    console.log(indent(`found:  ${JSON.stringify(diag.found)}\nwanted: ${JSON.stringify(diag.wanted)}`));
  }
  if (diag.stack) console.log(indent(diag.stack));
  const ended = ['expired', 'signal', 'exitCode'].filter((name) => diag[name]);
  if (ended.length > 0) console.log(indent(ended.map((name) => `${name}: ${diag[name]}`).join(', ')));
}

const reason = (text) => (text === true ? '' : text);

const words = (counts) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ') || 'no asserts';

/** What an assert counts as; `child` is the subtest that it sums up, whose asserts were counted already. */
function kindOf(result, child, isFile) {
  const childIsEmpty = child !== undefined && Object.values(child.counts).every((number) => number === 0);
  if (result.ok && isFile && childIsEmpty && (!result.skip || result.skip === 'no tests found')) return 'empty';
  if (result.skip) return 'skipped';
  if (result.todo) return 'todo';
  if (!result.ok) return child !== undefined && child.counts.failed > 0 ? undefined : 'failed';
  return child === undefined ? 'passed' : undefined;
}

/** Counts the asserts of one level and those below it; prints what failed or was skipped. */
function count(parser, path, onFile) {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  let child;
  parser.on('child', (childParser) => {
    const childPath = [...path, sourceOf(childParser.name)];
    child = { path: childPath, counts: count(childParser, childPath, undefined) };
  });
  parser.on('assert', (result) => {
    const summed = child;
    child = undefined;
    const own = summed?.path ?? [...path, result.name];
    const kind = kindOf(result, summed, onFile !== undefined);
    const sum = summed?.counts ?? { passed: 0, failed: 0, skipped: 0, todo: 0 };
    if (kind !== undefined) sum[kind === 'empty' ? 'failed' : kind] += 1;
    for (const name of Object.keys(counts)) counts[name] += sum[name];

    if (kind === 'failed') printFailure(own, result);
    else if (kind === 'empty') console.log(`FAIL ${own.join(' > ')}\n    holds no asserts`);
    else if (kind === 'skipped' || kind === 'todo') {
      console.log(
        `${kind === 'todo' ? 'TODO' : 'SKIP'} ${own.join(' > ')}  ${reason(result[kind === 'todo' ? 'todo' : 'skip'])}`,
      );
    }
    if (summed !== undefined) onFile?.(summed, result);
  });
  parser.on('bailout', (why) => {
    counts.failed += 1;
    console.log(`FAIL bailed out: ${why}`);
  });
  return counts;
}

const sources = testFiles();
if (sources.length === 0) fail(`no test file matches ${filters.join(' ') || 'tests/**/*.test.ts'}`);
const missing = sources.filter((name) => !existsSync(compiled(name)));
if (missing.length > 0) fail(`not compiled (npm run build): ${missing.join(', ')}`);

const started = process.hrtime.bigint();
const tap = spawn(
  process.execPath,
  [
    'node_modules/tap/dist/esm/run.mjs',
    'run',
    '--reporter=tap',
    `--timeout=${timeoutSeconds}`,
    `--jobs=${jobs}`,
    ...sources.map(compiled),
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const parser = new Parser();
const reported = new Set();
const total = count(parser, [], (file, result) => {
  reported.add(file.path[0]);
  const word = file.counts.failed > 0 ? 'FAIL' : 'ok  ';
  console.log(`${word} ${file.path.join(' > ')}  ${words(file.counts)}  (${((result.time ?? 0) / 1000).toFixed(1)} s)`);
});
tap.stdout.pipe(parser);

const [exit] = await Promise.all([
  new Promise((resolve) => tap.on('close', (code, signal) => resolve({ code, signal }))),
  new Promise((resolve) => parser.on('complete', resolve)),
]);
// A file that timed out takes the place of the last file in tap's plan, which then never runs.
for (const name of sources.filter((name) => !reported.has(name))) {
  console.log(`FAIL ${name}\n    did not run`);
  total.failed += 1;
}
if (total.passed + total.failed === 0) {
  console.log('FAIL no assert was made');
  total.failed += 1;
}
if (exit.code !== 0 && total.failed === 0) {
  console.log(`FAIL tap ended with ${exit.signal ?? `exit code ${exit.code}`} though no assert failed`);
  total.failed += 1;
}
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(`\n${sources.length} files in ${seconds.toFixed(1)} s`);
if (total.skipped + total.todo > 0) console.log(`not counted: ${total.skipped} skipped, ${total.todo} todo`);
console.log(`${total.passed} passed, ${total.failed} failed`);
// Not by itself: Node 20 may then never end (main/end.ts).
process.exit(exit.code || (total.failed > 0 ? 1 : 0));
