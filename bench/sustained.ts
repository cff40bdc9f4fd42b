/**
 * A steady 5,000 postings/s over HTTP for a minute (arrays of 10), then how far each projection is behind:
 * `node build/bench/sustained.js [seconds] [postings per second]`.
 */
import { call, startServer } from './support/server.js';

const ACCOUNTS = 1_000;
const SIZE = 10;
const seconds = Number(process.argv[2] ?? 60);
const rate = Number(process.argv[3] ?? 5_000);

const server = await startServer();
const [demo] = server.sandbox.tenants;
if (demo === undefined) throw new Error('the sandbox has no tenant');
const { url } = server.sandbox;
const token = demo.tokens.MANAGER;
const numbers: string[] = [];
for (let i = 0; i < ACCOUNTS; i += 1) {
  const opened = await call<{ data: { accountNumber: string } }>(
    url,
    token,
    'POST',
    '/api/v6/services/account-maintenance/open-account',
    {
      ownerId: demo.customerId,
      currencyCode: demo.currency,
      productCode: 'INTERNAL',
      accountName: `bench ${i}`,
    },
  );
  numbers.push(opened.data.accountNumber);
}

let key = 0;
const body = (): unknown[] =>
  Array.from({ length: SIZE }, () => {
    key += 1;
    const primary = Math.floor(Math.random() * ACCOUNTS);
    const other = (primary + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS;
    return {
      primaryAccountNumber: numbers[primary],
      currencyCode: demo.currency,
      creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
      counterParties: [{ accountNumber: numbers[other], currencyCode: demo.currency, amount: 1.5 }],
      instructionIdempotencykey: `s-${key}`,
    };
  });

const started = performance.now();
let sent = 0;
let answered = 0;
let failed = 0;
const pending = new Set<Promise<void>>();
const lags: string[] = [];
let nextLag = 10_000;
while (performance.now() - started < seconds * 1000) {
  const due = ((performance.now() - started) / 1000) * (rate / SIZE);
  while (sent < due) {
    sent += 1;
    const one = call(url, token, 'POST', '/api/v6/services/gateway/post-account', body())
      .then(() => {
        answered += 1;
      })
      .catch(() => {
        failed += 1;
      })
      .finally(() => pending.delete(one));
    pending.add(one);
  }
  if (performance.now() - started > nextLag) {
    nextLag += 10_000;
    lags.push(await lag());
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
const end = await lag();
await Promise.all(pending);
const elapsed = (performance.now() - started) / 1000;
console.log(`${Math.round((answered * SIZE) / elapsed)} postings/s for ${elapsed.toFixed(1)} s, ${failed} failed`);
for (const line of lags) console.log(`lag on the way: ${line}`);
console.log(`lag at the end: ${end}`);
await server.stop();

async function lag(): Promise<string> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return metrics
    .split('\n')
    .filter((line) => /corebook_projection_lag_seconds/.test(line) && !line.startsWith('#'))
    .join(' ');
}
