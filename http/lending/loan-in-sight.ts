import type { LoanProductView, LoanView } from '../../application/ports/lending-read-models.js';
import type { Outcome } from '../../application/commands.js';
import { type Accepted, acceptedOr, caughtUp } from '../commands.js';
import type { Answer, Call } from '../endpoint.js';
import { type Failure, RequestFailed, unavailable } from '../problem.js';
import { noSuch, seesOwner } from '../scope.js';

/** Which loan a call is about. Somebody else's answers exactly like one that does not exist. */
export async function visibleLoan(call: Call, id: string): Promise<LoanView> {
  const loan = await call.services.readModels.loan(call.caller.tenantId, id);
  if (loan === undefined || !(await seesOwner(call, loan.customerId))) throw noSuch('loan');
  return loan;
}

/** The loan a command is about to change, as far as this process has committed. */
export async function loanForCommand(call: Call, id: string): Promise<LoanView> {
  await caughtUp(call);
  return visibleLoan(call, id);
}

/** The loan once the read model shows the commit. */
export async function loanAfter(call: Call, id: string, { position }: Accepted): Promise<LoanView> {
  const { readModels, config } = call.services;
  const caught = await readModels.waitFor(position, config.positionWaitMs);
  const loan = caught ? await readModels.loan(call.caller.tenantId, id) : undefined;
  if (loan === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
  return loan;
}

/** Answers a change of a loan with the loan as it is now. */
export async function changedLoan(
  call: Call,
  id: string,
  outcome: Outcome,
  message: string,
  shown: (loan: LoanView) => unknown,
): Promise<Answer | Failure> {
  const done = acceptedOr(outcome, call);
  if ('kind' in done) return done;
  const data = await shown(await loanAfter(call, id, done));
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

/** The version of the product that a loan was made with; each is asked for once a call. */
export class ProductVersions {
  readonly #known = new Map<string, Promise<LoanProductView | undefined>>();
  constructor(private readonly call: Call) {}

  async of({ productId, productVersion }: LoanView): Promise<LoanProductView> {
    const { services, caller } = this.call;
    const key = `${productId} ${productVersion}`;
    const found =
      this.#known.get(key) ?? services.readModels.loanProductVersion(caller.tenantId, productId, productVersion);
    this.#known.set(key, found);
    const product = await found;
    if (product === undefined) throw new Error('a loan has its product');
    return product;
  }
}

/** Today, YYYY-MM-DD: the day that loans stand on. */
export function todayOf({ services }: Call): string {
  return new Date(services.clock.nowMs()).toISOString().slice(0, 10);
}
