/**
 * What a borrower told with his application; sealed in `loan-requested` (the events' member `person`) under the
 * customer's key. Optional members are absent, never null. A type, so that it is Json.
 */
export type LoanApplicant = {
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phoneNumber?: string;
  /** YYYY-MM-DD. */
  readonly dateOfBirth: string;
  /** ISO 3166-1 alpha-3. */
  readonly country: string;
  readonly employmentStatus: string;
  /** Minor units of the loan's currency, as text. */
  readonly monthlyIncome?: string;
  /** Bank Verification Number: 11 digits. */
  readonly bvn?: string;
  readonly accountNumber?: string;
  readonly bankCode?: string;
  /** With the question as it was asked: the product may ask others by now. */
  readonly answers: ReadonlyArray<{ readonly questionId: string; readonly question: string; readonly answer: string }>;
};
