/**
 * What a disclosure costs: totals and the rate by both conventions, of a loan of twelve and of 360 instalments, by periods
 * and by dates, with payments that are irregular, and where no rate exists. Run: node build/bench/apr.js
 */
import { addPeriods } from '../domain/loan/calendar.js';
import { aprOf, discloseLoan } from '../domain/loan/disclosure.js';

const ROUNDS = 5;
const RUNS = 20;

/** Median over the rounds of milliseconds per run. */
function cost(run: () => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < RUNS; index += 1) run();
    // The first round warms up.
    if (round > 0) rounds.push(Number(process.hrtime.bigint() - start) / 1e6 / RUNS);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
}

const disclosure = (instalments: number) => (): unknown =>
  discloseLoan({
    amount: 5_000_000n,
    annualRatePercent: '12.5',
    instalments,
    frequency: { every: 1, unit: 'MONTHS' },
    fees: [{ name: 'Processing', amount: 50_000n }],
  });
const payments = (count: number, days: number): { date: string; amount: bigint }[] =>
  Array.from({ length: count }, (_, k) => ({
    date: addPeriods(addPeriods('2024-02-15', k, 'MONTHS'), (k * k) % (days + 1), 'DAYS'),
    amount: BigInt(-50_000 - k),
  }));
const advance = { date: '2024-01-15', amount: 5_000_000n };
const threeSigns = payments(360, 0).map((payment, k) => (k === 180 ? { ...payment, amount: 90_000_000n } : payment));

const measured: [string, () => unknown][] = [
  ['disclosure, 12 instalments', disclosure(12)],
  ['disclosure, 360 instalments', disclosure(360)],
  ['both rates of 360 payments by dates', () => aprOf([advance, ...payments(360, 0)], 'MONTHS')],
  ['both rates of 360 payments on odd days', () => aprOf([advance, ...payments(360, 20)], 'MONTHS')],
  ['both rates, lent again in between', () => aprOf([advance, ...threeSigns], 'MONTHS')],
];
for (const [name, run] of measured) console.log(`${name.padEnd(40)} ${cost(run).toFixed(2)} ms`);
