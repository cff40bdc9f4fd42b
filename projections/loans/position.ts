import { computeLoan } from '../../domain/loan/compute.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { type LoanTermsJson, termsFromJson } from '../../domain/loan/terms-json.js';
import type { ByBucket } from '../../domain/loan/terms.js';
import { type RecordedJson, operationOf } from './recorded.js';

/** What the position of a loan depends on. */
interface Basis {
  readonly terms: LoanTermsJson;
  readonly operations: readonly RecordedJson[];
  readonly accruedTo: string;
}

/** As of the last day that anything is known of: it depends on what was recorded, not on a clock. */
export function positionOf({ terms, operations, accruedTo }: Basis): LoanPosition {
  const asOf = operations.reduce((latest, { date }) => (date > latest ? date : latest), accruedTo);
  return computeLoan(termsFromJson(terms), operations.map(operationOf), asOf);
}

/** What the transactions of one operation settled, together. */
export function portionsOf(position: LoanPosition, operation: string): { portions: ByBucket; overpaid: bigint } {
  const mine = position.transactions.filter((transaction) => transaction.operation === operation);
  const sum = (bucket: keyof ByBucket): bigint => mine.reduce((total, { portions }) => total + portions[bucket], 0n);
  return {
    portions: { principal: sum('principal'), interest: sum('interest'), fees: sum('fees'), penalty: sum('penalty') },
    overpaid: mine.reduce((total, { overpaid }) => total + overpaid, 0n),
  };
}
