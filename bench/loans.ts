/** What it costs to compute a loan of 360 instalments from its terms: `node build/bench/loans.js [rounds]`. */
import { computeLoan } from '../domain/loan/compute.js';
import { DEFAULT_ALLOCATION, type LoanTerms, SCHEDULE_TYPES } from '../domain/loan/terms.js';

const rounds = Number(process.argv[2] ?? 300);
const INSTALMENTS = 360;
const PRINCIPAL = 20_000_000n;
const DISBURSED = '2024-01-15';

const terms: LoanTerms = {
  ...{ currency: 'USD', principal: PRINCIPAL, annualRatePercent: '6.5', instalments: INSTALMENTS },
  ...{ schedule: 'EQUAL_INSTALMENTS', frequency: { every: 1, unit: 'MONTHS' }, dayCount: '30/360' },
  ...{ interestBy: 'PERIOD', recalculates: false, graceOnPrincipal: 0, graceOnInterest: 0, interestFreePeriods: 0 },
  ...{ rounding: { multiple: 1n, mode: 'HALF_EVEN' }, fees: [], prepayment: 'NEXT_INSTALMENT' },
  allocation: DEFAULT_ALLOCATION,
};

const disbursement = { id: 'disbursement', date: DISBURSED, kind: 'DISBURSED', amount: PRINCIPAL } as const;

for (const recalculates of [false, true]) {
  for (const schedule of SCHEDULE_TYPES) {
    const balloon = schedule === 'BALLOON' ? { balloon: PRINCIPAL / 5n } : {};
    const wanted = { ...terms, schedule, recalculates, ...balloon };
    const ms = measure(() => computeLoan(wanted, [disbursement], DISBURSED));
    console.log(`${schedule}${recalculates ? ', follows the balance' : ''}: ${ms.toFixed(2)} ms`);
  }
}

/** Median of the rounds, in milliseconds. */
function measure(work: () => void): number {
  for (let round = 0; round < 50; round += 1) work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}
