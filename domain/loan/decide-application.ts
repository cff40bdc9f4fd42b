import type { Decide } from '../shared/decider.js';
import type {
  AcceptLoanConditions,
  AcceptLoanOffer,
  ApproveLoan,
  EndLoan,
  ExpireLoanOffer,
  SendLoanOffer,
} from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decideAcceptLoanConditions: Decide<AcceptLoanConditions> = notYet;
export const decideAcceptLoanOffer: Decide<AcceptLoanOffer> = notYet;
export const decideApproveLoan: Decide<ApproveLoan> = notYet;
export const decideEndLoan: Decide<EndLoan> = notYet;
export const decideExpireLoanOffer: Decide<ExpireLoanOffer> = notYet;
export const decideSendLoanOffer: Decide<SendLoanOffer> = notYet;
