/** `npm run test:faults [-- PART OF A NAME …]`: every scenario, a line each; the last line is `N passed, N failed`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { Rig } from './rig.js';
import { type Result, type Scenario, conduct } from './scenario.js';
import { CONSUMER_FAULTS } from './scenarios/consumers.js';
import { JOB_FAULTS } from './scenarios/jobs.js';
import { EVENT_STORE_KILLS, PROCESS_KILLS, SERVER_KILLS } from './scenarios/kills.js';
import { EVENT_STORE_NETWORK, POSTGRES_NETWORK, REDIS_NETWORK } from './scenarios/network.js';
import { CLOCK_FAULTS, DISK_FAULTS } from './scenarios/resources.js';

const ALL: readonly Scenario[] = [
  ...POSTGRES_NETWORK,
  ...REDIS_NETWORK,
  ...SERVER_KILLS,
  ...JOB_FAULTS,
  ...CONSUMER_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
  ...PROCESS_KILLS,
  ...EVENT_STORE_NETWORK,
  ...EVENT_STORE_KILLS,
];
const RESULTS = 'build/faults.json';
const VERBOSE = process.env['FAULTS_VERBOSE'] !== undefined;

const filters = process.argv.slice(2);
const chosen = ALL.filter(({ name }) => filters.length === 0 || filters.some((part) => name.includes(part)));
if (chosen.length === 0)
  console.log(`no scenario is called like ${filters.join(' ')}: ${ALL.map(({ name }) => name).join(' ')}`);

const results: Result[] = [];
let rig: Rig | undefined;
const startedMs = performance.now();
for (const scenario of chosen) {
  const result = await run(scenario);
  results.push(result);
  console.log(lineOf(result));
  for (const problem of result.problems) console.log(`    ${problem}`);
  if (result.problems.length > 0) {
    if (VERBOSE) for (const product of rig?.products ?? []) console.log(product.log().join('\n'));
    // What comes next must not suffer from what came before.
    await rig?.close();
    rig = undefined;
  }
}
await rig?.close();

const failed = results.filter(({ problems }) => problems.length > 0).length;
await mkdir('build', { recursive: true });
if (filters.length === 0) await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\n${results.length} scenarios in ${seconds(performance.now() - startedMs)}`);
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;

/** Scenarios of the same kind share a rig, so that faults follow each other on one log. */
async function run(scenario: Scenario): Promise<Result> {
  try {
    if (rig?.kind !== scenario.rig) {
      await rig?.close();
      rig = undefined;
      rig = await Rig.open(scenario.rig);
    }
    return await conduct(scenario, rig);
  } catch (error) {
    const nothing = { acknowledged: 0, open: 0, commands: {}, lookUps: {}, slowestMs: 0, failing: [] };
    const { name, fault, note = '', lastsMs } = scenario;
    const problems = [(error as Error).stack ?? String(error)];
    return { name, fault, note, problems, ...nothing, recoveredMs: 0, lastsMs, events: 0 };
  }
}

function lineOf(result: Result): string {
  const { name, problems, acknowledged, open, noticedMs, recoveredMs, slowestMs, failing } = result;
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([label, count]) => `${count} × ${label}`)
      .join(', ');
  return [
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(28)} ${acknowledged} acknowledged, ${open} open`,
    `commands ${counts(result.commands)}; look-ups ${counts(result.lookUps)}; slowest ${seconds(slowestMs)}`,
    noticedMs === undefined ? '/ready stayed 200' : `/ready knew after ${seconds(noticedMs)} (${failing.join(', ')})`,
    `well again ${seconds(recoveredMs)} after healing`,
  ].join('; ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
