/**
 * One tenant, one hot account, 32 connections, on 1, 2 and 3 API processes with one projector beside them, all with
 * durable commits: `node build/bench/processes.js [seconds] [numbers of processes] [rounds] [seconds at a time]`. One request in
 * ten repeats a key, of any process and perhaps of a request that is still under way. Afterwards the whole log is checked.
 * Where the machine's own speed drifts, seconds at a time in turns tell more than minutes one after the other.
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
/** Each process has this much to itself first, then each number of them together: none is measured with its code still cold. */
const COLD_SECONDS = 8;
const ACCOUNTS = 50;
const REPEATED = 0.1;
const seconds = Number(process.argv[2] ?? 20);
const sizes = (process.argv[3] ?? '1,2,3').split(',').map(Number);
const rounds = Number(process.argv[4] ?? 1);
const sliceSeconds = Math.min(seconds, Number(process.argv[5] ?? seconds));

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

/** What one number of processes did in a slice of a round, or in all of them. */
interface Measured {
  readonly commands: number;
  /** Commands a second. */
  readonly rate: number;
  readonly others: number;
  readonly conflicts: number;
  readonly p50: number;
  readonly p99: number;
  readonly busyMs: number;
  readonly idleMs: number;
}

async function measure(members: readonly Member[], demo: DemoTenant, numbers: readonly string[], keys: Keys) {
  await load(members, demo, numbers, keys, WARM_UP_SECONDS);
  const before = await conflicts(members);
  const started = machineTime();
  const results = await load(members, demo, numbers, keys, sliceSeconds);
  const ended = machineTime();
  return {
    commands: results.reduce((sum, result) => sum + result['2xx'], 0),
    // Each process's callers stop at a moment of their own.
    rate: results.reduce((sum, result) => sum + result['2xx'] / result.duration, 0),
    others: results.reduce((sum, result) => sum + result.non2xx + result.errors, 0),
    conflicts: (await conflicts(members)) - before,
    p50: Math.max(...results.map(({ latency }) => latency.p50)),
    p99: Math.max(...results.map(({ latency }) => latency.p99)),
    busyMs: ended.busyMs - started.busyMs,
    idleMs: ended.idleMs - started.idleMs,
  } satisfies Measured;
}

/** The mean of the rates, the worst of the latencies, the sum of the rest. */
function together(slices: readonly Measured[]): Measured {
  const sum = (of: (one: Measured) => number): number => slices.reduce((all, one) => all + of(one), 0);
  return {
    commands: sum((one) => one.commands),
    rate: sum((one) => one.rate) / slices.length,
    others: sum((one) => one.others),
    conflicts: sum((one) => one.conflicts),
    p50: Math.max(...slices.map((one) => one.p50)),
    p99: Math.max(...slices.map((one) => one.p99)),
    busyMs: sum((one) => one.busyMs),
    idleMs: sum((one) => one.idleMs),
  };
}

function told(size: number, one: Measured): string {
  const { rate, commands, others, p50, p99, busyMs, idleMs } = one;
  return (
    `${size} API processes: ${Math.round(rate)} commands/s, p50 ${p50} ms, p99 ${p99} ms, ` +
    `other answers ${others}, conflicts ${one.conflicts}, ` +
    `the machine worked ${((1_000 * busyMs) / commands).toFixed(0)} µs a command, idle ${((100 * idleMs) / (busyMs + idleMs)).toFixed(0)} %`
  );
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
  for (const member of members) await load([member], demo, numbers, keys, COLD_SECONDS);
  // What is handed over takes ways of its own.
  for (const size of sizes) if (size > 1) await load(members.slice(0, size), demo, numbers, keys, COLD_SECONDS);
  const [base = 1] = sizes;
  const slices = Math.max(1, Math.round(seconds / sliceSeconds));
  const all = new Map<number, Measured[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round += 1) {
    // In turns, so that what else the machine does meanwhile meets all of them.
    for (let slice = 0; slice < slices; slice += 1) {
      for (const size of slice % 2 === 0 ? sizes : sizes.toReversed()) {
        all.get(size)?.push(await measure(members.slice(0, size), demo, numbers, keys));
      }
    }
    for (const [size, measured] of all) console.log(told(size, together(measured.slice(-slices))));
  }
  const bases = all.get(base) ?? [];
  for (const [size, measured] of all) {
    const shares = measured.map((one, i) => (100 * one.rate) / (bases[i] ?? one).rate);
    const ofSums = (100 * together(measured).rate) / together(bases).rate;
    console.log(
      `${size}: median ${Math.round(median(measured.map(({ rate }) => rate)))} commands/s; ${ofSums.toFixed(0)} % of what ${base} did in all, ` +
        `median of ${shares.length} pairs ${median(shares).toFixed(0)} % (${Math.min(...shares).toFixed(0)} to ${Math.max(...shares).toFixed(0)})`,
    );
  }
  console.log(await check(fleet, keys));
} finally {
  await fleet.close();
}
