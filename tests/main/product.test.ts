import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import tap, { test, type Test } from 'tap';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import type { SandboxFile } from '../../main/sandbox.js';
import { serverEnvironment } from '../support/server-environment.js';

/** The whole product as a user has it: `npm start`, what it prints, the README's calls, the command line, kill -9. */
const LAUNCHER = resolve('main/corebook.mjs');
const READY_MS = 60_000;
/** Real processes, one after another. */
tap.setTimeout(280_000);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function corebook(dataDir: string, ...parameters: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [LAUNCHER, ...parameters],
      {
        env: { ...process.env, ...serverEnvironment(dataDir), DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

interface Server {
  readonly process: ChildProcess;
  readonly sandbox: SandboxFile;
  /** What it has printed so far. */
  output(): string;
  readonly exited: Promise<number | null>;
}

async function start(dataDir: string): Promise<Server> {
  const child = spawn(process.execPath, [LAUNCHER, 'start'], {
    env: {
      ...process.env,
      ...serverEnvironment(dataDir),
      DATA_DIR: dataDir,
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let errors = '';
  child.stdout.on('data', (piece: Buffer) => (printed += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  for (let waited = 0; waited < READY_MS && !printed.includes('Move money:'); waited += 50) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${errors}`);
    await new Promise((next) => setTimeout(next, 50));
  }
  const sandbox = JSON.parse(await readFile(join(dataDir, 'sandbox.json'), 'utf8')) as SandboxFile;
  return { process: child, sandbox, output: () => printed, exited };
}

async function dataDirectory(t: Test): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-product-'));
  t.teardown(async () => {
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return dataDir;
}

function bash(script: string, cwd: string): Promise<Ran> {
  return new Promise((done) => {
    execFile('bash', ['-eu', '-c', script], { cwd }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

async function stop(server: Server): Promise<number | null> {
  server.process.kill('SIGTERM');
  return server.exited;
}

test('start, the printed calls, the README’s calls, stop', async (t) => {
  const dataDir = await dataDirectory(t);
  const began = Date.now();
  const server = await start(dataDir);
  t.ok(Date.now() - began < 30_000, 'serves within 30 s');

  const { url, tenants } = server.sandbox;
  t.match(server.output(), url);
  t.equal((await stat(join(dataDir, 'sandbox.json'))).mode & 0o777, 0o600);
  t.same(
    tenants.map(({ tenant }) => tenant),
    ['remitjunction', 'finlend', 'corebook'],
  );
  for (const { tokens } of tenants) {
    t.same(Object.keys(tokens), ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR', 'ANALYST']);
    for (const token of Object.values(tokens)) t.match(server.output(), token);
  }

  const calls = server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('curl '));
  t.equal(calls.length, 3);
  for (const call of calls) {
    const { stdout } = await bash(`${call} -w '\\n%{http_code}'`, dataDir);
    t.match(stdout, /"status":"SUCCESS"[^]*\n20[01]$/, call.slice(0, 60));
  }

  // The README's first screen, word for word, with the data directory of this test.
  const readme = await readFile('README.md', 'utf8');
  const block = /```sh\n(sandbox\(\)[^]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error('the README has no calls');
  const ran = await bash(block.replaceAll('data/sandbox.json', join(dataDir, 'sandbox.json')), dataDir);
  t.equal(ran.code, 0, ran.stderr);
  const answers = ran.stdout
    .split(/(?<=\})\n?(?=\{"status")/)
    .map((text) => JSON.parse(text) as { status: string; message: string });
  t.ok(answers.length >= 2);
  for (const answer of answers) t.equal(answer.status, 'SUCCESS', answer.message);

  t.equal((await fetch(`${url}/ready`)).status, 200);
  t.equal((await fetch(`${url}/health`)).status, 200);
  t.match(await (await fetch(`${url}/metrics`)).text(), /corebook_projection_lag_seconds/);
  t.equal(await stop(server), 0, 'stops cleanly');

  const again = await start(dataDir);
  t.same(again.sandbox.tenants, tenants, 'the tokens of the first start are still good');
  t.notMatch(again.output(), tenants[0]?.tokens.MANAGER.slice(0, 30) + '\n', 'tokens are not listed a second time');
  const token = tenants[0]?.tokens.MANAGER ?? '';
  const balance = `${again.sandbox.url}/api/v6/services/ledger/account-balance/${tenants[0]?.wallets[0]?.accountId}`;
  t.equal((await fetch(balance, { headers: { 'X-Auth-Token': token } })).status, 200);
  t.equal(await stop(again), 0);
});

test('the command line beside a running server and without one', async (t) => {
  const dataDir = await dataDirectory(t);
  const server = await start(dataDir);
  const csv = resolve('docs/examples/household.csv');
  const first = await corebook(dataDir, 'import-journal', csv, '--json');
  t.equal(first.code, 0, first.stderr);
  t.match(JSON.parse(first.stdout), { ok: true, transactions: 741, posted: 741 });

  const created = await corebook(dataDir, 'token', 'create', '--tenant', 'books', '--role', 'AUDITOR', '--json');
  t.equal(created.code, 0, created.stderr);
  const { token } = JSON.parse(created.stdout) as { token: string };
  const trial = await fetch(`${server.sandbox.url}/api/v6/services/ledger/trial-balance`, {
    headers: { 'X-Auth-Token': token },
  });
  t.equal(trial.status, 200);
  t.match(await trial.text(), /Assets:US:BofA:Checking/, 'what the command line posted is served');
  t.equal(await stop(server), 0);

  const second = await corebook(dataDir, 'import-journal', csv, '--json');
  t.match(JSON.parse(second.stdout), { posted: 0, replayed: 741, accountsOpened: 0 });

  const journal = join(dataDir, 'books.journal');
  t.equal((await corebook(dataDir, 'export-journal', '--format', 'hledger', '--output', journal)).code, 0);
  const judged = await bash(
    `hledger -f ${journal} check --strict && hledger -f ${journal} bal -N -O csv --layout=bare`,
    dataDir,
  );
  t.equal(judged.code, 0, judged.stderr);
  t.strictSame(parse(judged.stdout), parse(await readFile('docs/examples/household-balances.csv')));

  const verified = await corebook(dataDir, 'audit', 'verify', '--json');
  t.equal(verified.code, 0, verified.stderr);
  t.match(JSON.parse(verified.stdout), { ok: true, positions: null });
  const replayed = await corebook(dataDir, 'audit', 'replay', '--until', '100', '--json');
  const books = JSON.parse(replayed.stdout) as { revision: number; totals: Array<{ balance: string }> };
  t.equal(books.revision, 100);
  for (const { balance } of books.totals) t.equal(Number(balance), 0);
  const rebuilt = await corebook(dataDir, 'projection', 'rebuild', 'accounts', '--json');
  t.match(JSON.parse(rebuilt.stdout), { ok: true, name: 'accounts' });

  t.equal((await corebook(dataDir, 'tenant', 'create', 'acme', '--base-currency', 'NGN', '--json')).code, 0);
  t.equal((await corebook(dataDir, 'tenant', 'create', 'acme')).code, 3, 'refused: it exists');
  t.equal((await corebook(dataDir, 'tenant', 'create', 'Not A Slug')).code, 3);
  t.equal((await corebook(dataDir, 'token', 'create', '--tenant', 'nobody', '--role', 'MANAGER')).code, 3);
  t.equal((await corebook(dataDir, 'token', 'create', '--tenant', 'acme', '--role', 'KING')).code, 2);
  t.equal((await corebook(dataDir, 'import-journal', join(dataDir, 'missing.csv'))).code, 2);
  const bad = join(dataDir, 'bad.csv');
  await writeFile(bad, 'txnidx,date,description,account,amount,commodity\n1,2026-01-02,x,Assets:A,1,USD\n');
  const refused = await corebook(dataDir, 'import-journal', bad, '--json');
  t.equal(refused.code, 3);
  t.match(JSON.parse(refused.stdout), { ok: false, error: /does not balance/ });
  t.equal((await corebook(dataDir, 'bogus')).code, 2);
  t.equal((await corebook(dataDir, 'projection', 'rebuild', 'nothing')).code, 2);
  t.equal((await corebook(dataDir, '--help')).code, 0);
});

test('wrong configuration ends at once with the name of the variable', async (t) => {
  const dataDir = await dataDirectory(t);
  await chmod(dataDir, 0o700);
  const ran = await new Promise<Ran>((done) => {
    execFile(
      process.execPath,
      [LAUNCHER, 'start'],
      { env: { ...process.env, ...serverEnvironment(dataDir), DATA_DIR: dataDir, PORT: 'eighty' } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
  t.equal(ran.code, 2);
  t.match(ran.stderr, /PORT/);
});

test('kill -9 of the server under load: what was acknowledged is there, retries double nothing', async (t) => {
  const dataDir = await dataDirectory(t);
  let server = await start(dataDir);
  const [demo] = server.sandbox.tenants;
  if (demo === undefined) throw new Error('no demo tenant');
  const [from, to] = demo.wallets;
  const post = async (key: string): Promise<boolean> => {
    try {
      const response = await fetch(`${server.sandbox.url}/api/v6/services/gateway/post-account`, {
        method: 'POST',
        headers: { 'X-Auth-Token': demo.tokens.MANAGER, 'Content-Type': 'application/json' },
        body: JSON.stringify([
          {
            primaryAccountNumber: from?.accountNumber,
            currencyCode: demo.currency,
            creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
            counterParties: [{ accountNumber: to?.accountNumber, currencyCode: demo.currency, amount: 0.01 }],
            instructionIdempotencykey: key,
          },
        ]),
      });
      await response.text();
      return response.status === 200;
    } catch {
      return false;
    }
  };
  const all: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const acknowledged = new Set<string>();
    const keys: string[] = [];
    let down = false;
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let i = 0; !down && i < 500; i += 1) {
        const key = `crash-${round}-${caller}-${i}`;
        keys.push(key);
        if (await post(key)) acknowledged.add(key);
      }
    });
    await new Promise((next) => setTimeout(next, 300 + 200 * round));
    server.process.kill('SIGKILL');
    down = true;
    await server.exited;
    await Promise.all(callers);
    t.ok(acknowledged.size > 0, `round ${round}: something was acknowledged`);
    server = await start(dataDir);
    for (const key of keys) t.ok(await post(key), `${key} is answered after the crash`);
    all.push(...keys);
    const balance = await fetch(
      `${server.sandbox.url}/api/v6/services/ledger/account-ledger-history/${to?.accountId}?size=1`,
      {
        headers: { 'X-Auth-Token': demo.tokens.MANAGER, 'X-Min-Position': '1' },
      },
    );
    t.equal(balance.status, 200);
  }
  t.equal(await stop(server), 0);
  const verified = JSON.parse((await corebook(dataDir, 'audit', 'verify', '--json')).stdout) as { ok: boolean };
  t.ok(verified.ok, 'the log and the read models are sound');
  const replay = JSON.parse(
    (await corebook(dataDir, 'audit', 'replay', '--tenant', demo.tenant, '--until', '999999999', '--json')).stdout,
  ) as {
    rows: Array<{ number: string; balance: string }>;
  };
  const received = replay.rows.find(({ number }) => number === to?.accountNumber)?.balance;
  t.equal(received, (all.length / 100).toFixed(2), 'every key took effect exactly once');
});
