/** What the simulators do with an account (platform.md 14). Whole numbers win over endings; all others succeed. */
export const BEHAVIOURS = [
  'success',
  'delayed',
  'insufficient-balance',
  'invalid-amount',
  'account-not-found',
  'invalid-account',
  'other-holder',
  'time-out',
  'duplicate-notification',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

const WHOLE_NUMBERS: ReadonlyMap<string, Behaviour> = new Map([
  ['1111111111', 'success'],
  ['2222222222', 'delayed'],
  ['3333333333', 'insufficient-balance'],
  ['4444444444', 'invalid-account'],
  ['5555555555', 'time-out'],
  ['6666666666', 'duplicate-notification'],
]);

const ENDINGS: ReadonlyMap<string, Behaviour> = new Map([
  ['00', 'success'],
  ['12', 'insufficient-balance'],
  ['13', 'invalid-amount'],
  ['23', 'account-not-found'],
  // Beyond the table: an account of somebody else, for the check of names.
  ['34', 'other-holder'],
]);

export function behaviourOf(accountNumber: string): Behaviour {
  return WHOLE_NUMBERS.get(accountNumber) ?? ENDINGS.get(accountNumber.slice(-2)) ?? 'success';
}

export function isMagicNumber(accountNumber: string): boolean {
  return WHOLE_NUMBERS.has(accountNumber);
}
