/**
 * kill -9 of Node, of PostgreSQL and of both, under load, 20 times over one database: everything that was acknowledged
 * is there, and nothing is doubled by asking for all of it again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import tap, { test } from 'tap';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster, existingCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { runningPostmaster } from '../../infrastructure/postgres/postmaster.js';
import { type Attempt, checkAnswers } from '../support/answers.js';
import { booksOf } from '../support/oracle.js';
import { type Report, TENANT, deed } from './deeds.js';

tap.setTimeout(600_000); // The runner has a limit of its own.
const ROUNDS = Number(process.env['ROUNDS'] ?? 20);
/** How long each round's load lasts before and after the blow. */
const LOAD_MS = 350;
const VICTIMS = ['node', 'postgres', 'both', 'backend', 'postgres, then node'] as const;
const DRIVER = fileURLToPath(new URL('./driver.js', import.meta.url));

type OpenAttempt = { -readonly [K in keyof Attempt]: Attempt[K] };

/** A driver and what it reports, which it writes to a file. */
class Driver {
  readonly names: string[] = [];
  answers = 0;
  errors = 0;
  isReady = false;
  readonly #child: ChildProcess;
  readonly #file: string;
  readonly #exited: Promise<unknown>;
  #ended = false;
  #offset = 0;
  #rest = '';
  readonly #open = new Map<string, OpenAttempt>();

  constructor(
    dataDir: string,
    round: number,
    again: readonly string[],
    private readonly attempts: OpenAttempt[],
    private readonly moment: () => number,
  ) {
    this.#file = join(dataDir, `reports-${round}`);
    const reports = openSync(this.#file, 'w');
    this.#child = spawn(process.execPath, [DRIVER, dataDir, String(round)], { stdio: ['pipe', reports, 'inherit'] });
    closeSync(reports);
    this.#exited = once(this.#child, 'close').then(() => {
      this.#ended = true;
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(again.join('\n'));
  }

  /** Reads on in its reports until `enough`; false when it ends or takes too long. */
  async until(enough: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const ended = this.#ended;
      await this.#readOn();
      if (enough()) return true;
      if (ended || performance.now() > deadline) return false;
      await sleep(20);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    await this.#readOn();
  }

  async #readOn(): Promise<void> {
    const bytes = (await readFile(this.#file)).subarray(this.#offset);
    this.#offset += bytes.length;
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#read(JSON.parse(line) as Report);
  }

  #read(report: Report): void {
    if ('ready' in report) this.isReady = true;
    else if ('sent' in report) {
      const attempt = { command: deed(report.sent), sent: this.moment() };
      this.#open.set(report.sent, attempt);
      this.attempts.push(attempt);
      this.names.push(report.sent);
    } else if ('answer' in report) {
      this.answers += 1;
      Object.assign(this.#open.get(report.answer) as object, { answered: this.moment(), outcome: report.outcome });
    } else this.errors += 1;
  }
}

test(`${ROUNDS} rounds of kill -9`, async (t) => {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'corebook-crash-')));
  await chmod(dataDir, 0o755);
  const attempts: OpenAttempt[] = [];
  let moments = 0;
  const moment = (): number => (moments += 1);
  let driver: Driver | undefined;
  t.teardown(async () => {
    await driver?.kill();
    await killPostgres(dataDir);
    await sleep(200);
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });

  const all: string[] = [];
  let again: string[] = [];
  let errors = 0;
  const answered: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    const current = new Driver(dataDir, round, again, attempts, moment);
    driver = current;
    if (!(await current.until(() => current.isReady, 30_000)))
      throw new Error(`the driver of round ${round} did not start`);
    const readyAt = performance.now();
    await sleep(LOAD_MS * (0.5 + (round % 7) / 7));
    await current.until(() => current.answers > again.length, 10_000);
    const before = current.answers;
    const goesOn = (): Promise<boolean> => current.until(() => current.answers >= before + 50, 15_000);
    const victim = VICTIMS[round % VICTIMS.length];
    if (victim === 'postgres') {
      await killPostgres(dataDir);
      // The next process to come starts it again; the driver, which lives on, finds it.
      const revived = await openDatabase({ dataDir, log: () => undefined });
      t.ok(await goesOn(), `round ${round}: the process that lived on goes on`);
      await revived.close();
    } else if (victim === 'backend') {
      // One server process dies: PostgreSQL throws everybody out and recovers by itself.
      await killBackend(dataDir);
      t.ok(await goesOn(), `round ${round}: goes on after the server’s own recovery`);
    } else if (victim === 'both') {
      await Promise.all([killPostgres(dataDir), current.kill()]);
    } else if (victim === 'postgres, then node') {
      await killPostgres(dataDir);
      await sleep(100);
    }
    await current.kill();
    // All of this round that has a key is asked for again by the next process, answered or not.
    again = [...new Set(current.names)].filter(
      (name) => !name.startsWith('once') && name.split(' ')[1] === String(round),
    );
    all.push(...again);
    errors += current.errors;
    t.comment(
      `round ${round} ${victim}: ready after ${Math.round(readyAt - startedAt)} ms, then ${Math.round(performance.now() - readyAt)} ms`,
    );
    answered.push(current.answers);
  }
  // One more process is asked for everything that ever had a key.
  const last = new Driver(dataDir, ROUNDS, all, attempts, moment);
  driver = last;
  t.ok(await last.until(() => last.isReady, 30_000));
  await last.kill();

  const database = await openDatabase({ dataDir, log: () => undefined });
  const log = new PostgresEventLog({ url: database.urls.core });
  try {
    const events: StoredEvent[] = [];
    for await (const event of log.read(TENANT)) events.push(event);
    booksOf(events); // Revisions, positions, hash chain, balances, keys: throws where any is wrong.
    checkAnswers(attempts, events);
    t.pass(`${attempts.length} deliveries, ${events.length} events: nothing lost, nothing doubled`);
    const unanswered = attempts.filter(({ answered }) => answered === undefined);
    t.ok(unanswered.length > ROUNDS, `${unanswered.length} deliveries were cut off`);
    const replayed = attempts.filter(({ outcome }) => outcome?.status === 'accepted' && outcome.replayed);
    t.ok(replayed.length > 100, `${replayed.length} were answered again with the first answer`);
    const finally_ = new Map(attempts.map(({ command, outcome }) => [command.correlationId, { command, outcome }]));
    const open = [...finally_.values()].filter(
      ({ command, outcome }) =>
        outcome?.status !== 'accepted' && (command.idempotency !== undefined || command.name === 'post-entries'),
    );
    t.ok(open.length <= 16, `all but the last load has its answer (${open.length} open)`);
    t.comment(`${errors} errors were met by processes that lived on`);
    t.ok(
      answered.every((count) => count > 0),
      `answers by round: ${answered.join(' ')}`,
    );
    const owner = new pg.Client({ connectionString: database.urls.owner });
    await owner.connect();
    const { rows } = await owner.query<{ count: number; max: number }>(
      'select count(*)::int as count, max(position)::int as max from ledger.events',
    );
    await owner.end();
    t.same(rows, [{ count: events.length, max: events.length }], 'positions are dense');
  } finally {
    await log.close();
    await database.close();
  }
});

async function postmasterOf(dataDir: string): Promise<number | undefined> {
  const cluster = await existingCluster(dataDir);
  return cluster === undefined ? undefined : (await runningPostmaster(cluster.dataDirectory))?.pid;
}

async function killPostgres(dataDir: string): Promise<void> {
  const pid = await postmasterOf(dataDir);
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Kills the server process of the append connection. */
async function killBackend(dataDir: string): Promise<void> {
  const cluster = await existingCluster(dataDir);
  const postmaster = cluster && (await runningPostmaster(cluster.dataDirectory));
  if (cluster === undefined || postmaster?.status !== 'ready') throw new Error('PostgreSQL does not run');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postmaster.port,
    user: 'corebook_admin',
    password: cluster.password,
    database: 'corebook',
  });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'corebook append' limit 1",
  );
  const [row] = rows;
  if (row === undefined) throw new Error('nobody appends');
  process.kill(row.pid, 'SIGKILL');
  await client.end().catch(() => undefined);
}
