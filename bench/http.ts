/**
 * post-account over HTTP, the whole product in one process with durable commits, the load from a process of its own:
 * `node build/bench/http.js [seconds] [rounds]`. Single postings, then arrays of 100, by 32 connections.
 */
import autocannon from 'autocannon';
import { call, startServer } from './support/server.js';
import { median } from './support/open-core.js';

const CONNECTIONS = 32;
const ACCOUNTS = 1_000;
const seconds = Number(process.argv[2] ?? 10);
const rounds = Number(process.argv[3] ?? 3);

const server = await startServer();
const [demo] = server.sandbox.tenants;
if (demo === undefined) throw new Error('the sandbox has no tenant');
const { url } = server.sandbox;
const token = demo.tokens.MANAGER;

const numbers: string[] = [];
for (let i = 0; i < ACCOUNTS; i += 50) {
  const opened = await Promise.all(
    Array.from({ length: 50 }, (_, j) =>
      call<{ data: { accountNumber: string } }>(
        url,
        token,
        'POST',
        '/api/v6/services/account-maintenance/open-account',
        {
          ownerId: demo.customerId,
          currencyCode: demo.currency,
          productCode: 'INTERNAL',
          accountName: `bench ${i + j}`,
        },
      ),
    ),
  );
  numbers.push(...opened.map((one) => one.data.accountNumber));
}

let next = 0;
function body(size: number): string {
  const postings = Array.from({ length: size }, () => {
    next += 1;
    const primary = Math.floor(Math.random() * ACCOUNTS);
    const other = (primary + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS;
    return `{"primaryAccountNumber":"${numbers[primary]}","currencyCode":"${demo?.currency}","creditDebitInstructionDirection":"DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT","counterParties":[{"accountNumber":"${numbers[other]}","currencyCode":"${demo?.currency}","amount":12.34,"narration":"bench"}],"instructionIdempotencykey":"b-${next}"}`;
  });
  return `[${postings.join(',')}]`;
}

async function lag(): Promise<string> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return metrics
    .split('\n')
    .filter((line) => /corebook_projection_lag_seconds/.test(line) && !line.startsWith('#'))
    .join(' ');
}

async function measure(title: string, size: number, overallRate?: number): Promise<void> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const result = await autocannon({
      url: `${url}/api/v6/services/gateway/post-account`,
      connections: CONNECTIONS,
      duration: seconds,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-auth-token': token },
      ...(overallRate === undefined ? {} : { overallRate }),
      requests: [{ setupRequest: (request) => ({ ...request, body: body(size) }) }],
    });
    const rate = (result['2xx'] / result.duration) * size;
    rates.push(rate);
    console.log(
      `${title}: ${Math.round(rate)} postings/s, p50 ${result.latency.p50} ms, p99 ${result.latency.p99} ms, other answers ${result.non2xx + result.errors}; ${await lag()}`,
    );
  }
  console.log(`${title}: median ${Math.round(median(rates))} postings/s`);
}

await measure('32 connections, single', 1);
await measure('32 connections, arrays of 100', 100);
await server.stop();
