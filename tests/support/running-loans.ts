import type { CommandName, CommandPayloads } from '../../application/commands.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import { ADA, plainlySealed } from './given-people.js';
import { productSettings } from './given-loans.js';

type Run = <N extends CommandName>(name: N, payload: CommandPayloads[N]) => Promise<unknown>;

const AT_ONCE = 512;

/** One borrower and a product in euros, and as many loans of it, paid out on `date`; answers their ids. */
export async function openLoans(
  run: Run,
  tenantId: string,
  { count, date, settings = {} }: { readonly count: number; readonly date: string; readonly settings?: Partial<LoanProductSettings> }, // prettier-ignore
): Promise<string[]> {
  const id = (name: string): string => nameBasedUuid(tenantId, name);
  const [customer, product] = [id('borrower'), id('product')];
  const person = plainlySealed(customer, ADA);
  const sold = productSettings({ currency: 'EUR', ...settings });
  const instalments = sold.maxInstalments;
  await run('register-customer', { customer, customerType: 'INDIVIDUAL', country: 'NGA', person });
  await run('save-loan-product', { product, isNew: true, settings: sold });
  await run('set-loan-product-status', { product, to: 'ACTIVE' });
  const amount = 3_650_000n;
  const loans = Array.from({ length: count }, (_, i) => id(`loan ${i}`));
  const each = async (work: (loan: string) => Promise<unknown>): Promise<void> => {
    for (let from = 0; from < count; from += AT_ONCE) await Promise.all(loans.slice(from, from + AT_ONCE).map(work));
  };
  const asked = { customer, product, amount, instalments, repaymentMethod: 'WALLET', person, facts: {} };
  await each((loan) => run('request-loan', { loan, ...asked }));
  await each((loan) => run('approve-loan', { loan, amount, annualRatePercent: '12', instalments }));
  await each((loan) => run('send-loan-offer', { loan }));
  await each((loan) => run('accept-loan-offer', { loan }));
  await each((loan) => run('accept-loan-conditions', { loan }));
  await each((loan) => run('disburse-loan', { loan, date }));
  return loans;
}
