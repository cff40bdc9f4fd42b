import type { Decide } from '../shared/decider.js';
import type { DisburseLoan } from './commands.js';

const notYet = (): never => {
  throw new Error('not built yet');
};
export const decideDisburseLoan: Decide<DisburseLoan> = notYet;
