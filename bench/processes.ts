/**
 * One tenant, one hot account, 32 connections, on 1, 2 and 3 API processes with one projector beside them, all with
 * durable commits: `node build/bench/processes.js [seconds] [numbers of processes] [rounds]`. One request in ten repeats a key, of
 * any process and perhaps of a request that is still under way. Afterwards the whole log is checked.
 */
import { hash } from 'node:crypto';
import { cpus } from 'node:os';
import autocannon from 'autocannon';
import { PostgresEventLog } from '../infrastructure/postgres/event-log.js';
import type { DemoTenant } from '../application/sandbox/seed.js';
import { Fleet, type Member } from '../tests/support/fleet.js';
import { Books } from '../tests/support/oracle.js';
import { median } from './support/open-core.js';
import { call } from './support/server.js';

const CONNECTIONS = 32;
const WARM_UP_SECONDS = 2;
/** Each process has this much to itself first, so that none is measured with its code still cold. */
const ALONE_SECONDS = 8;
const ACCOUNTS = 50;
const REPEATED = 0.1;
const seconds = Number(process.argv[2] ?? 20);
const sizes = (process.argv[3] ?? '1,2,3').split(',').map(Number);
const rounds = Number(process.argv[4] ?? 1);

interface Answer {
  readonly id: string;
  /** Of everything in it but `replayed`. */
  readonly digest: string;
}

/** What was asked under each key, and every answer to it. */
class Keys {
  readonly answers = new Map<string, Answer>();
  repeated = 0;
  differing = 0;
  #next = 0;

  key(): string {
    if (this.#next > 100 && Math.random() < REPEATED) {
      this.repeated += 1;
      // Most of the last few hundred have been answered, the very last are under way.
      return `p-${this.#next - Math.floor(Math.random() * Math.min(this.#next, 500))}`;
    }
    this.#next += 1;
    return `p-${this.#next}`;
  }

  answered(key: string, status: number, body: string): void {
    if (status !== 200) return;
    const [posting] = (JSON.parse(body) as { data: Array<{ postingGroupId: string; replayed: boolean }> }).data;
    if (posting === undefined) throw new Error(`an answer without a posting: ${body}`);
    // Not the whole answers: half a million of them cost the machine that is measured more than the check does.
    const digest = hash('sha1', JSON.stringify({ ...posting, replayed: undefined }), 'base64');
    const before = this.answers.get(key);
    if (before === undefined) this.answers.set(key, { id: posting.postingGroupId, digest });
    else if (before.digest !== digest) this.differing += 1;
  }
}

function body(demo: DemoTenant, numbers: readonly string[], key: string): string {
  // The same request for the same key: what it moves follows from the key.
  const n = Number(key.slice(2));
  const other = numbers[n % numbers.length];
  return `[{"primaryAccountNumber":"${demo.cashAccountNumber}","currencyCode":"${demo.currency}","creditDebitInstructionDirection":"DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT","counterParties":[{"accountNumber":"${other}","currencyCode":"${demo.currency}","amount":${1 + (n % 97)}.00}],"instructionIdempotencykey":"${key}"}]`;
}

async function load(
  members: readonly Member[],
  demo: DemoTenant,
  numbers: readonly string[],
  keys: Keys,
  duration: number,
) {
  const share = members.map(
    (_, i) => Math.floor(CONNECTIONS / members.length) + (i < CONNECTIONS % members.length ? 1 : 0),
  );
  return await Promise.all(
    members.map((member, i) =>
      autocannon({
        url: `${member.url}/api/v6/services/gateway/post-account`,
        connections: share[i] ?? 1,
        duration,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-auth-token': demo.tokens.MANAGER },
        requests: [
          {
            setupRequest: (request, context) => {
              const key = keys.key();
              (context as { key?: string }).key = key;
              return { ...request, body: body(demo, numbers, key) };
            },
            onResponse: (status, answer, context) => {
              keys.answered((context as { key: string }).key, status, answer);
            },
          },
        ],
      }),
    ),
  );
}

async function openAccounts(url: string, demo: DemoTenant): Promise<string[]> {
  const opened = await Promise.all(
    Array.from({ length: ACCOUNTS }, (_, i) =>
      call<{ data: { accountNumber: string } }>(
        ...([url, demo.tokens.MANAGER, 'POST', '/api/v6/services/account-maintenance/open-account'] as const),
        {
          ownerId: demo.customerId,
          currencyCode: demo.currency,
          productCode: 'INTERNAL',
          accountName: `bench ${i}`,
        },
      ),
    ),
  );
  return opened.map((one) => one.data.accountNumber);
}

/** Σ = 0, lines without gaps, hash chain, keys once (the oracle); every acknowledged key is answered by its event. */
async function check(fleet: Fleet, keys: Keys): Promise<string> {
  const { core } = await fleet.database();
  const log = new PostgresEventLog({ url: core });
  const books = new Books();
  const idOf = new Map<string, string>();
  let twice = 0;
  for (let after = '', read = -1; read !== 0;) {
    // Page by page: rounds of a minute make millions of events.
    const page = await log.readAll({ after, limit: 5_000 });
    for (const event of page) {
      books.take(event);
      const { instructionKey: key } = event.data as { instructionKey?: string };
      if (event.type !== 'entry-posted' || key?.startsWith('p-') !== true) continue;
      if (idOf.has(key)) twice += 1;
      idOf.set(key, event.id);
    }
    after = page.at(-1)?.position ?? after;
    read = page.length;
  }
  await log.close();
  const wrong = [...keys.answers].filter(([key, answer]) => idOf.get(key) !== answer.id).length;
  if (wrong + twice + keys.differing > 0) {
    throw new Error(`${wrong} lost or other than answered, ${twice} keys twice, ${keys.differing} other answers`);
  }
  return `${books.events} events, Σ = 0, ${keys.answers.size} acknowledged keys each once, ${keys.repeated} repeats answered the same`;
}

async function conflicts(members: readonly Member[]): Promise<number> {
  let sum = 0;
  for (const { url } of members) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    sum += Number(/^corebook_append_conflicts_total (\d+)/m.exec(metrics)?.[1] ?? 0);
  }
  return sum;
}

/** Processor time of the whole machine so far, and how much of it was spent on nothing; ms. */
function machineTime(): { busyMs: number; idleMs: number } {
  const sum = { busyMs: 0, idleMs: 0 };
  for (const { times } of cpus()) {
    sum.busyMs += times.user + times.nice + times.sys + times.irq;
    sum.idleMs += times.idle;
  }
  return sum;
}

interface Round {
  readonly rate: number;
  readonly text: string;
}

async function measure(members: readonly Member[], demo: DemoTenant, numbers: readonly string[], keys: Keys) {
  await load(members, demo, numbers, keys, WARM_UP_SECONDS);
  const before = await conflicts(members);
  const started = machineTime();
  const results = await load(members, demo, numbers, keys, seconds);
  const ended = machineTime();
  const [busyMs, idleMs] = [ended.busyMs - started.busyMs, ended.idleMs - started.idleMs];
  const commands = results.reduce((sum, result) => sum + result['2xx'], 0);
  const rate = results.reduce((sum, result) => sum + result['2xx'] / result.duration, 0);
  const others = results.reduce((sum, result) => sum + result.non2xx + result.errors, 0);
  const worst = (of: 'p50' | 'p99'): number => Math.max(...results.map((result) => result.latency[of]));
  const text =
    `${members.length} API processes: ${Math.round(rate)} commands/s, p50 ${worst('p50')} ms, p99 ${worst('p99')} ms, ` +
    `other answers ${others}, conflicts ${(await conflicts(members)) - before}, ` +
    `the machine worked ${((1_000 * busyMs) / commands).toFixed(0)} µs a command, idle ${((100 * idleMs) / (busyMs + idleMs)).toFixed(0)} %`;
  return { rate, text } satisfies Round;
}

const fleet = await Fleet.open();
try {
  await fleet.start('projector');
  const members: Member[] = [];
  for (let i = 0; i < Math.max(...sizes); i += 1) members.push(await fleet.start('api'));
  const [first] = members;
  const demo = first?.sandbox?.tenants[0];
  if (first === undefined || demo === undefined) throw new Error('the sandbox has no tenant');
  const numbers = await openAccounts(first.url, demo);
  const keys = new Keys();
  for (const member of members) await load([member], demo, numbers, keys, ALONE_SECONDS);
  const rates = new Map<number, number[]>(sizes.map((size) => [size, []]));
  // In turns, so that what else the machine does meanwhile meets all of them.
  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      const { rate, text } = await measure(members.slice(0, size), demo, numbers, keys);
      rates.get(size)?.push(rate);
      console.log(text);
    }
  }
  const alone = median(rates.get(sizes[0] ?? 1) ?? []);
  for (const [size, measured] of rates) {
    const middle = median(measured);
    console.log(
      `${size}: median ${Math.round(middle)} commands/s, ${((100 * middle) / alone).toFixed(0)} % of ${sizes[0]}`,
    );
  }
  console.log(await check(fleet, keys));
} finally {
  await fleet.close();
}
