import type { Decide } from '../shared/decider.js';
import type { PayOffLoan, RejectRepayment, ReportRepayment, VerifyRepayment } from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decidePayOffLoan: Decide<PayOffLoan> = notYet;
export const decideRejectRepayment: Decide<RejectRepayment> = notYet;
export const decideReportRepayment: Decide<ReportRepayment> = notYet;
export const decideVerifyRepayment: Decide<VerifyRepayment> = notYet;
