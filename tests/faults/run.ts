/**
 * `npm run test:faults [-- PART OF A NAME …]`: every scenario, a line each; the last line is `N passed, N failed`.
 * `--list` names them, `--write` brings the table of docs/reference/faults.md up to date with a full run.
 * FAULTS_VERBOSE=1 shows the product's log where something failed; FAULTS_SOURCES=1 runs the product from its sources.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { endWhenDone } from '../../main/end.js';
import { Requirements } from './requirements.js';
import { Rig } from './rig.js';
import { type Result, type Scenario, conduct } from './scenario.js';
import { CONSUMER_FAULTS } from './scenarios/consumers.js';
import { JOB_FAULTS } from './scenarios/jobs.js';
import { EVENT_STORE_KILLS, PROCESS_KILLS, SERVER_KILLS } from './scenarios/kills.js';
import { EVENT_STORE_NETWORK, POSTGRES_NETWORK, REDIS_NETWORK } from './scenarios/network.js';
import { CLOCK_FAULTS, DISK_FAULTS } from './scenarios/resources.js';
import { writeTable } from './table.js';

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

class Suite {
  readonly results: Result[] = [];
  #rig: Rig | undefined;
  #skipped = 0;

  async run(scenarios: readonly Scenario[]): Promise<void> {
    const requirements = await Requirements.prepare();
    for (const scenario of scenarios) {
      const lacking = await requirements.lacking(scenario.rig);
      if (lacking === undefined) await this.#one(scenario);
      else {
        this.#skipped += 1;
        console.log(`SKIP ${scenario.name}: ${lacking}`);
      }
    }
    await this.#newRig();
  }

  get skipped(): number {
    return this.#skipped;
  }

  async #one(scenario: Scenario): Promise<void> {
    const result = await this.#conducted(scenario);
    this.results.push(result);
    console.log(lineOf(result));
    for (const problem of result.problems) console.log(`    ${problem}`);
    if (result.problems.length === 0) return;
    if (VERBOSE) for (const product of this.#rig?.products ?? []) console.log(product.log().join('\n'));
    // What comes next must not suffer from what came before.
    await this.#newRig();
  }

  /** Scenarios of the same kind share a rig, so that faults follow each other on one log. */
  async #conducted(scenario: Scenario): Promise<Result> {
    try {
      if (this.#rig?.kind !== scenario.rig) {
        await this.#newRig();
        this.#rig = await Rig.open(scenario.rig);
      }
      return await conduct(scenario, this.#rig);
    } catch (error) {
      const nothing = { acknowledged: 0, open: 0, commands: {}, lookUps: {}, slowestMs: 0, failing: [] };
      const { name, fault, note = '', lastsMs } = scenario;
      const problems = [(error as Error).stack ?? String(error)];
      return { name, fault, note, problems, ...nothing, recoveredMs: 0, lastsMs, events: 0 };
    }
  }

  /** Interrupted: nothing that was started may stay. */
  async abandon(): Promise<never> {
    await this.#newRig();
    process.exit(130);
  }

  async #newRig(): Promise<void> {
    await this.#rig?.close();
    this.#rig = undefined;
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

const given = process.argv.slice(2);
const filters = given.filter((one) => !one.startsWith('--'));
const chosen = ALL.filter(({ name }) => filters.length === 0 || filters.some((part) => name.includes(part)));

if (given.includes('--list')) {
  for (const { name, fault } of chosen) console.log(`${name.padEnd(28)} ${fault}`);
} else {
  endWhenDone();
  const startedMs = performance.now();
  const suite = new Suite();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void suite.abandon());
  await suite.run(chosen);
  const { results } = suite;
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  if (filters.length === 0) {
    await mkdir('build', { recursive: true });
    await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
    if (given.includes('--write') && failed === 0) await writeTable(results);
  }
  console.log(`\n${results.length} scenarios in ${seconds(performance.now() - startedMs)}`);
  if (suite.skipped > 0) console.log(`not counted: ${suite.skipped} skipped`);
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
}
