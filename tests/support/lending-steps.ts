import type { Role } from '../../domain/shared/decider.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import { NEW_PRODUCT_EXAMPLE } from '../../http/lending/product-shape.js';
import type { Answered, HttpWorld } from './http-world.js';

/** The life of a loan, step by step, over HTTP as its people walk it. Amounts are major units. */
export const USER = '/api/v1/services/user';
export const ADMIN = '/api/v6/services/admin';

type As = Role | { readonly token: string };

export interface LoanMade {
  readonly productId: string;
  readonly loanId: string;
  readonly code: string;
}

/** The answer's data, or a failure of the test that says why. */
export function dataOf<T = Record<string, unknown>>(answer: Answered): T {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json.data as T;
}

export const send = (world: HttpWorld, method: string, path: string, body?: unknown, as: As = 'MANAGER') =>
  world.send(path, { method, ...(body === undefined ? {} : { body }) }, as);

/** An active product: the documentation's, with whatever is different. */
export async function activeProduct(world: HttpWorld, more: object = {}): Promise<string> {
  const body = { ...NEW_PRODUCT_EXAMPLE, ...more };
  const { id } = dataOf<{ id: string }>(await send(world, 'POST', `${ADMIN}/loan-products`, body));
  dataOf(await send(world, 'PUT', `${ADMIN}/loan-products/${id}/status`, { status: 'ACTIVE' }));
  return id;
}

/** What the documents' Ada asks for. */
export function application(productId: string, more: object = {}) {
  return {
    ...{ currencyCode: 'NGN', dateOfBirth: '1990-05-17', durationCounter: 12, loanDuration: 12 },
    ...{ loanApplicationStatusEnum: 'REQUESTED', employmentStatus: 'EMPLOYED', loanAmount: 50_000 },
    ...{ loanProductId: productId, loanRepaymentMethodEnum: 'BANK_TRANSFER', monthlyIncome: 200_000 },
    eligibilityAnswers: [{ questionId: 'purpose', answer: 'SCHOOL' }],
    ...more,
  };
}

export const REQUEST_LOAN = '/api/v6/services/user/request-loan';

export async function requested(world: HttpWorld, product: object = {}, more: object = {}): Promise<LoanMade> {
  const productId = await activeProduct(world, product);
  const answer = await send(world, 'POST', REQUEST_LOAN, application(productId, more), 'CUSTOMER');
  const { loanApplicationId: loanId, loanCode: code } = dataOf<{ loanApplicationId: string; loanCode: string }>(answer);
  return { productId, loanId, code };
}

/** How far a loan has come: each stage is the ones before and one step more. */
export const STAGES = ['REQUESTED', 'APPROVED', 'OFFER_SENT', 'ACCEPTED', 'TERMS_ACCEPTED'] as const;
export type Stage = (typeof STAGES)[number];

export async function loanAt(
  world: HttpWorld,
  stage: Stage,
  product: object = {},
  more: object = {},
): Promise<LoanMade> {
  const loan = await requested(world, product, more);
  const steps: ReadonlyArray<readonly [Stage, string, string, As]> = [
    ['APPROVED', 'POST', `${ADMIN}/loan-application/${loan.loanId}/approve`, 'MANAGER'],
    ['OFFER_SENT', 'POST', `${ADMIN}/loan-application/${loan.loanId}/send-offer`, 'MANAGER'],
    ['ACCEPTED', 'PUT', `${USER}/accept-loan-offer/${loan.loanId}/accept`, 'CUSTOMER'],
    ['TERMS_ACCEPTED', 'PUT', `${USER}/accept-terms-and-conditions/${loan.loanId}`, 'CUSTOMER'],
  ];
  for (const [reached, method, path, as] of steps) {
    if (STAGES.indexOf(reached) <= STAGES.indexOf(stage)) dataOf(await send(world, method, path, undefined, as));
  }
  return loan;
}

/** A loan whose money is out. */
export const disbursed = (world: HttpWorld, product: object = {}, more: object = {}): Promise<LoanMade> =>
  loanAt(world, 'TERMS_ACCEPTED', product, more);

/** Ada reports a transfer; the id of the repayment. */
export async function reported(world: HttpWorld, { loanId, code }: LoanMade, amount: number): Promise<string> {
  const body = { repaymentAmount: amount, accountId: loanId, repaymentReference: code };
  const answer = await send(world, 'POST', `${USER}/repay-loan/${EXAMPLE.ownerId}`, body, 'CUSTOMER');
  return dataOf<{ id: string }>(answer).id;
}

export async function verified(world: HttpWorld, loan: LoanMade, amount: number, more: object = {}): Promise<string> {
  const id = await reported(world, loan, amount);
  dataOf(await send(world, 'POST', `${ADMIN}/repayments/${id}/verify`, more));
  return id;
}

/** Puts money into Ada's loan wallet; minor units. */
export async function fundWallet(world: HttpWorld, amount: bigint, currency = 'NGN'): Promise<void> {
  await world.fund(`LW-${PEOPLE.customerCode}-${currency}`, currency, amount);
}
