import type { Decide } from '../shared/decider.js';
import type { AccrueLoan, OperateLoan } from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decideAccrueLoan: Decide<AccrueLoan> = notYet;
export const decideOperateLoan: Decide<OperateLoan> = notYet;
