import type { Decide } from '../shared/decider.js';
import type { SaveLoanProduct, SetLoanConditions, SetLoanProductStatus, SetLoanQuestions } from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decideSaveLoanProduct: Decide<SaveLoanProduct> = notYet;
export const decideSetLoanConditions: Decide<SetLoanConditions> = notYet;
export const decideSetLoanProductStatus: Decide<SetLoanProductStatus> = notYet;
export const decideSetLoanQuestions: Decide<SetLoanQuestions> = notYet;
