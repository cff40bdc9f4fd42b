/** The whole product moves its log to an event store (the FAKE) and back, as its operator does it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import tap, { test } from 'tap';
import { joinDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import type { SandboxFile } from '../../main/sandbox.js';
import { corebook } from '../support/command-line.js';
import { startEventStoreFake } from '../support/eventstore-fake/fake.js';

tap.setTimeout(280_000);
const LAUNCHER = resolve('main/corebook.mjs');
const READY_MS = 60_000;

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  stop(): Promise<number | null>;
}

test('postgres, event store, postgres', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-moving-'));
  const fake = await startEventStoreFake();
  const servers = new Set<Server>();
  t.teardown(async () => {
    for (const server of servers) await server.stop();
    await fake.stop();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Answers the server, or what it printed before it ended. */
  async function start(environment: Record<string, string> = {}): Promise<Server | string> {
    const child = spawn(process.execPath, [LAUNCHER, 'start', '--json'], {
      env: { ...process.env, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [printed, errors] = ['', ''];
    child.stdout.on('data', (piece: Buffer) => (printed += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
    const exited = new Promise<number | null>((done) => child.once('exit', done));
    for (let waited = 0; waited < READY_MS && !printed.includes('\n'); waited += 50) {
      if (child.exitCode !== null) return errors;
      await new Promise((next) => setTimeout(next, 50));
    }
    const { url, error } = JSON.parse(printed) as { url: string; error?: string };
    if (error !== undefined) return error;
    const server: Server = {
      ...{ process: child, url },
      stop() {
        servers.delete(server);
        if (child.exitCode === null) child.kill('SIGTERM');
        return exited;
      },
    };
    servers.add(server);
    return server;
  }
  const serve = async (environment?: Record<string, string>): Promise<Server> => {
    const server = await start(environment);
    if (typeof server === 'string') throw new Error(server);
    return server;
  };
  const move = (from: string, to: string, ...more: string[]) =>
    corebook({ DATA_DIR: dataDir, LOG_URL: fake.url }, 'log', 'copy', '--from', from, '--to', to, ...more).done;
  const sandbox = async () => JSON.parse(await readFile(join(dataDir, 'sandbox.json'), 'utf8')) as SandboxFile;

  /** Where the last deposit stands: what is read must have seen it. */
  let position = '';
  const balances = async ({ url }: Server): Promise<unknown[]> => {
    const [first] = (await sandbox()).tenants;
    const headers = { 'X-Auth-Token': first?.tokens.MANAGER ?? '', 'X-Min-Position': position };
    return Promise.all(
      (first?.wallets ?? []).map(async ({ accountId }) => {
        const answer = await fetch(`${url}/api/v6/services/ledger/account-balance/${accountId}`, { headers });
        return ((await answer.json()) as { data: unknown }).data;
      }),
    );
  };
  const deposit = async ({ url }: Server, key: string): Promise<number> => {
    const [first] = (await sandbox()).tenants;
    const [wallet] = first?.wallets ?? [];
    const answer = await fetch(`${url}/api/v6/services/gateway/post-account`, {
      method: 'POST',
      headers: { 'X-Auth-Token': first?.tokens.MANAGER ?? '', 'Content-Type': 'application/json' },
      body: JSON.stringify([
        {
          ...{ primaryAccountNumber: 'SYS-CASH-NGN', currencyCode: 'NGN' },
          creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
          counterParties: [{ accountNumber: wallet?.accountNumber, currencyCode: 'NGN', amount: 7 }],
          instructionIdempotencykey: key,
        },
      ]),
    });
    position = answer.headers.get('X-Position') ?? position;
    return answer.status;
  };
  /** Generations of the read models: a rebuild makes a new one. */
  const generations = async (): Promise<unknown> => {
    const urls = await joinDatabase({ dataDir });
    const client = new pg.Client({ connectionString: urls?.owner });
    await client.connect();
    const { rows } = await client.query('select name, generation from ledger.projections order by 1, 2');
    await client.end();
    return rows;
  };

  let server = await serve();
  t.equal(await deposit(server, 'first'), 200);
  const before = await balances(server);
  const made = await generations();
  const busy = await move('postgres', 'esdb');
  t.equal(busy.code, 1);
  t.match(busy.errors, /stop every process of Corebook first/);
  t.equal(await server.stop(), 0);

  const there = await move('postgres', 'esdb');
  t.equal(there.code, 0, there.errors);
  t.match(there.json, { ok: true, outcome: 'moved', home: 'eventstoredb', tenants: 3 });
  t.equal(there.json['written'], there.json['verified']);

  t.match(await start(), /kept in eventstoredb, not in postgres: LOG_URL is wrong/, 'a forgotten LOG_URL is refused');

  server = await serve({ LOG_URL: fake.url });
  t.same(await balances(server), before);
  t.same(await generations(), made, 'nothing was rebuilt');
  const stored = fake.store.log().length;
  t.equal(await deposit(server, 'first'), 200, 'a key from before is known');
  t.same(await balances(server), before);
  t.equal(await deposit(server, 'second'), 200);
  t.ok(fake.store.log().length > stored, 'the event store has it');
  const after = await balances(server);
  t.notSame(after, before);
  const ready = (await (await fetch(`${server.url}/ready`)).json()) as unknown;
  t.match(JSON.stringify(ready), /log copy/);
  const verified = await corebook({ DATA_DIR: dataDir, LOG_URL: fake.url }, 'audit', 'verify').done;
  t.equal(verified.code, 0, verified.errors);

  await t.test('the event store is away: the truth, and no harm', async (t) => {
    await fake.stop();
    const answer = await fetch(`${server.url}/ready`);
    t.equal(answer.status, 503);
    t.match(await answer.text(), /cannot be reached|was lost/);
    t.same(await balances(server), after, 'reads go on');
    const refused = deposit(server, 'third');
    t.equal(await refused, 503);
    await fake.start();
    const well = async (): Promise<boolean> =>
      (await deposit(server, 'third')) === 200 && (await fetch(`${server.url}/ready`)).status === 200;
    for (let tries = 0; !(await well()); tries += 1) {
      if (tries > 300) throw new Error('never well again');
      await new Promise((next) => setTimeout(next, 50));
    }
    for (let i = 0; i < 3; i += 1) t.equal(await deposit(server, 'third'), 200);
  });
  const last = await balances(server);
  t.equal(await server.stop(), 0);

  const back = await move('esdb', 'postgres');
  t.match(back.json, { ok: true, outcome: 'moved', home: 'postgres' }, back.errors);
  server = await serve();
  t.same(await balances(server), last);
  t.same(await generations(), made, 'nothing was rebuilt');
  t.equal(await deposit(server, 'third'), 200);
  t.same(await balances(server), last, 'a key is a key');
  t.equal(await server.stop(), 0);
  for (const wrong of [
    ['esdb', 'esdb'],
    ['redis', 'esdb'],
  ] as const) {
    t.equal((await move(wrong[0], wrong[1])).code, 2);
  }
});
