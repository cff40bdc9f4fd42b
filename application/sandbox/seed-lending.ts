import { productSettings } from '../loan/product-settings.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import { currencyExponent } from '../../domain/shared/money.js';
import type { RunSeed } from './seed-people.js';

/** Tenants that lend in the sandbox. */
const LENDERS: ReadonlySet<string> = new Set(['finlend', 'remitjunction']);

const CONDITIONS = [
  'The lender pays the loan out to the borrower’s loan wallet once the offer and these terms are accepted.',
  'The borrower repays it in the instalments of the schedule that the offer shows, and may pay it off at any time for what is owed on that day.',
  'Instalments that are not paid within the days of grace are charged the penalty that the product names.',
].join('\n');

/**
 * Conditions and two active products: one of which a borrower gets the money as soon as he accepts, one that staff pay out.
 * In the currency of the demo wallets, so that the documented process flow can be walked at once.
 */
export async function seedLending(
  tenant: { readonly tenantId: string; readonly slug: string; readonly baseCurrency: string },
  run: RunSeed,
): Promise<void> {
  const { tenantId, slug, baseCurrency } = tenant;
  if (!LENDERS.has(slug)) return;
  await run('set-loan-conditions', { text: CONDITIONS, details: {} }, 'loan conditions');
  const first = nameBasedUuid(tenantId, 'loan-product:demo salary');
  await seedProduct(run, first, salaryAdvance(baseCurrency), 'salary advance');
  const second = nameBasedUuid(tenantId, 'loan-product:demo business');
  await seedProduct(run, second, businessLoan(baseCurrency), 'business loan');
}

async function seedProduct(run: RunSeed, product: string, settings: LoanProductSettings, key: string): Promise<void> {
  await run('save-loan-product', { product, isNew: true, settings }, `loan product ${key}`);
  await run('set-loan-product-status', { product, to: 'ACTIVE' }, `loan product ${key} active`);
}

const units = (currency: string, amount: bigint): string =>
  (amount * 10n ** BigInt(currencyExponent(currency) ?? 2)).toString();

function salaryAdvance(currency: string): LoanProductSettings {
  return productSettings({
    name: 'Salary advance',
    description: 'For people with a regular income: equal monthly instalments, paid out at once',
    currency,
    annualRatePercent: '12.5',
    minAmount: units(currency, 1_000n),
    maxAmount: units(currency, 500_000n),
    maxInstalments: 24,
    fees: [{ name: 'Processing', when: 'UPFRONT', kind: 'FIXED', amount: units(currency, 500n) }],
    penalty: { graceDays: 3, when: 'FLAT', kind: 'PERCENT', percent: '1' },
    questions: [
      {
        questionId: 'purpose',
        question: 'What is the loan for?',
        type: 'SELECT',
        options: ['SCHOOL', 'RENT', 'HEALTH', 'OTHER'],
        required: true,
      },
    ],
  });
}

function businessLoan(currency: string): LoanProductSettings {
  return productSettings({
    name: 'Business loan',
    description: 'Interest by the day on what is outstanding; paid out by staff',
    currency,
    annualRatePercent: '18',
    minAmount: units(currency, 10_000n),
    maxAmount: units(currency, 5_000_000n),
    minInstalments: 3,
    maxInstalments: 36,
    schedule: 'EQUAL_PRINCIPAL',
    dayCount: 'ACT/365',
    interestBy: 'DAILY',
    recalculates: true,
    prepayment: 'REDUCE',
    fees: [{ name: 'Arrangement', when: 'UPFRONT', kind: 'PERCENT', percent: '1.5' }],
    penalty: { graceDays: 5, when: 'DAILY', kind: 'PERCENT', percent: '0.1' },
    disbursement: 'MANUAL',
  });
}
