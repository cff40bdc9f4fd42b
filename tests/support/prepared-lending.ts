import type { Endpoint } from '../../http/endpoint.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import { BANKING, TRANSFERS } from '../../http/lending/bank-examples.js';
import { LOANS } from '../../http/lending/examples.js';
import { NEW_PRODUCT_EXAMPLE } from '../../http/lending/product-shape.js';
import type { HttpWorld } from './http-world.js';
import {
  ADMIN,
  USER,
  type LoanMade,
  activeProduct,
  dataOf,
  disbursed,
  fundWallet,
  loanAt,
  reported,
  send,
  verified,
} from './lending-steps.js';

/** The real ids that stand where an example has its own. */
interface Made extends Partial<LoanMade> {
  readonly repaymentId?: string;
  readonly operationId?: string;
  readonly bankAccountId?: string;
  readonly reference?: string;
}

const charged = async (world: HttpWorld, { loanId }: LoanMade, bucket: string): Promise<string> => {
  const body = { bucket, amount: 100, name: 'Letter' };
  const answer = await send(world, 'POST', `${ADMIN}/loan-application/${loanId}/charge`, body);
  return dataOf<{ operationId: string }>(answer).operationId;
};
/** May be written off at once. */
const LOST = { writeOffAfterDays: 0 };

/** What an example of lending takes for granted, by the id of the endpoint; the others need a loan whose money is out. */
const BEFORE: Readonly<Record<string, (world: HttpWorld) => Promise<Made>>> = {
  ...Object.fromEntries(
    ['create-loan-product', 'set-loan-terms', 'add-bank-account', 'verify-bank-account', 'available-banks'].map(
      (id) => [id, () => Promise.resolve({})],
    ),
  ),
  'view-bank-account': async (world) => ({ bankAccountId: await bankAccount(world) }),
  'list-bank-accounts': async (world) => ({ bankAccountId: await bankAccount(world) }),
  'transfer-funds': async (world) => ({ ...(await disbursed(world)), bankAccountId: await bankAccount(world) }),
  'transfer-status': transferred,
  'transfer-history': transferred,
  'get-loan-terms': async (world) => ({ productId: await activeProduct(world) }),
  'request-loan': async (world) => ({ productId: await activeProduct(world) }),
  'list-loan-products': async (world) => ({ productId: await activeProduct(world) }),
  'loan-eligibility-questions': async (world) => ({ productId: await activeProduct(world) }),
  'calculate-apr': async (world) => ({ productId: await activeProduct(world, { fees: [] }) }),
  'update-loan-product': async (world) => ({ productId: await activeProduct(world) }),
  'set-eligibility-questions': async (world) => ({ productId: await activeProduct(world) }),
  'set-loan-product-status': async (world) => {
    const answer = await send(world, 'POST', `${ADMIN}/loan-products`, NEW_PRODUCT_EXAMPLE);
    return { productId: dataOf<{ id: string }>(answer).id };
  },
  'get-loan-application': (world) => loanAt(world, 'OFFER_SENT'),
  'loan-application-details': (world) => loanAt(world, 'REQUESTED'),
  'list-loan-applications': (world) => loanAt(world, 'REQUESTED'),
  'approve-loan-application': (world) => loanAt(world, 'REQUESTED'),
  'reject-loan-application': (world) => loanAt(world, 'REQUESTED'),
  'cancel-loan-application': (world) => loanAt(world, 'REQUESTED'),
  'admin-cancel-loan-application': (world) => loanAt(world, 'ACCEPTED'),
  'send-loan-offer': (world) => loanAt(world, 'APPROVED'),
  'get-loan-offer': (world) => loanAt(world, 'OFFER_SENT'),
  'accept-loan-offer': (world) => loanAt(world, 'OFFER_SENT'),
  'reject-loan-offer': (world) => loanAt(world, 'OFFER_SENT'),
  'update-loan-offer': (world) => loanAt(world, 'OFFER_SENT'),
  'accept-loan-terms': (world) => loanAt(world, 'ACCEPTED'),
  'disburse-loan': (world) => loanAt(world, 'TERMS_ACCEPTED', { disbursement: 'MANUAL' }),
  'write-off-loan': (world) => disbursed(world, LOST),
  'record-loan-recovery': async (world) => {
    const loan = await disbursed(world, LOST);
    const path = `${ADMIN}/loan-application/${loan.loanId}/write-off`;
    dataOf(await send(world, 'POST', path, { reason: 'lost' }));
    return loan;
  },
  'waive-loan': async (world) => {
    const loan = await disbursed(world);
    await charged(world, loan, 'PENALTY');
    return loan;
  },
  'undo-loan-operation': async (world) => {
    const loan = await disbursed(world);
    return { ...loan, operationId: await charged(world, loan, 'FEES') };
  },
  'payoff-loan': async (world) => {
    const loan = await disbursed(world);
    await fundWallet(world, 100_000n);
    return loan;
  },
  'verify-repayment': pending,
  'reject-repayment': pending,
  'list-repayments': pending,
  'reverse-repayment': settled,
  'repaid-transactions': settled,
  'list-customer-repayments': settled,
};

async function bankAccount(world: HttpWorld): Promise<string> {
  const body = { customerId: PEOPLE.customerId, ...BANKING };
  const answer = await send(world, 'POST', `${USER}/create-bank-account`, body, 'CUSTOMER');
  return dataOf<{ accountId: string }>(answer).accountId;
}
async function transferred(world: HttpWorld): Promise<Made> {
  const loan = await disbursed(world);
  const bankAccountId = await bankAccount(world);
  const body = { customerId: PEOPLE.customerId, amount: 2500, bankAccountId };
  const answer = await send(world, 'POST', `${USER}/transfer-funds-to-bank`, body, 'CUSTOMER');
  return { ...loan, bankAccountId, reference: dataOf<{ transactionReference: string }>(answer).transactionReference };
}
async function pending(world: HttpWorld): Promise<Made> {
  const loan = await disbursed(world);
  return { ...loan, repaymentId: await reported(world, loan, 4454.14) };
}
async function settled(world: HttpWorld): Promise<Made> {
  const loan = await disbursed(world);
  return { ...loan, repaymentId: await verified(world, loan, 4454.14) };
}

/** Does it, and puts the ids that came of it in the place of the example's. */
export async function prepareLending<T>(world: HttpWorld, { id }: Endpoint, example: T): Promise<T> {
  const made: Made = await (BEFORE[id] ?? disbursed)(world);
  const places: ReadonlyArray<readonly [string, string | undefined]> = [
    [LOANS.productId, made.productId],
    [LOANS.loanId, made.loanId],
    [LOANS.repaymentId, made.repaymentId],
    [LOANS.operationId, made.operationId],
    [LOANS.loanCode, made.code],
    [TRANSFERS.bankAccountId, made.bankAccountId],
    [TRANSFERS.reference, made.reference],
  ];
  const text = places.reduce(
    (so, [from, to]) => (to === undefined ? so : so.replaceAll(from, to)),
    JSON.stringify(example),
  );
  return JSON.parse(text) as T;
}
