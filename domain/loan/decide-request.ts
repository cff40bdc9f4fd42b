import type { Decide } from '../shared/decider.js';
import type { RequestLoan } from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decideRequestLoan: Decide<RequestLoan> = notYet;
