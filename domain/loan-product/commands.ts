import type { EligibilityQuestion, LoanProductSettings, ProductStatus } from './events.js';

/** Creates, or changes: a whole new version. The same settings again change nothing. */
export interface SaveLoanProduct {
  readonly product: string;
  /** Creating: there must be none; changing: there must be one. */
  readonly isNew: boolean;
  readonly settings: LoanProductSettings;
}
export interface SetLoanProductStatus {
  readonly product: string;
  readonly to: ProductStatus;
}
/** A new version with these questions. */
export interface SetLoanQuestions {
  readonly product: string;
  readonly questions: readonly EligibilityQuestion[];
}
export interface SetLoanConditions {
  readonly text: string;
  readonly details: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
