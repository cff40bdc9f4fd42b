import type { LoanApplicant } from '../../domain/loan/applicant.js';
import { nubanError } from '../../domain/loan/nuban.js';
import type { EligibilityQuestion } from '../../domain/loan-product/events.js';
import type { PersonalData } from '../../domain/shared/person.js';
import { COUNTRIES, countryOf } from '../countries.js';
import { type Fault, fault } from '../people/faults.js';
import { dobFault, isFault, phoneOrFault, present } from '../people/person-checks.js';
import type { CustomerView } from '../ports/read-models.js';
import type { LoanProductView } from '../ports/lending-read-models.js';

/** What an application says of the borrower. What his profile knows is compared with it, and fills what is absent. */
export interface ApplicantClaim {
  readonly dateOfBirth: string;
  readonly employmentStatus: string;
  readonly monthlyIncome?: bigint | undefined;
  readonly bvn?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly phoneNumber?: string | undefined;
  /** ISO 3166-1, or the country's name. */
  readonly country?: string | undefined;
  readonly accountNumber?: string | undefined;
  readonly bankCode?: string | undefined;
  readonly answers: ReadonlyArray<{ readonly questionId: string; readonly answer: string }>;
}

/** Who asks for a loan, as it is sealed, with everything that is wrong with what he told. */
export function checkedApplicant(
  claim: ApplicantClaim,
  customer: CustomerView & { readonly person: PersonalData },
  { settings }: LoanProductView,
  today: string,
): { readonly applicant: LoanApplicant; readonly faults: readonly Fault[] } {
  const { person, country } = customer;
  const { monthlyIncome, bvn, accountNumber, bankCode, phoneNumber } = claim;
  const phone = phoneNumber === undefined ? person.phone : phoneIn(phoneNumber, country);
  const faults = [
    ...identityFaults(claim, customer, today),
    ...(isFault(phone) ? [phone] : []),
    ...(settings.bvnRequired && bvn === undefined
      ? [fault('bvn', 'REQUIRED', 'bvn is required for this product')]
      : []),
    ...accountFaults(claim, country),
    ...answerFaults(claim.answers, settings.questions),
  ];
  const questions = new Map(settings.questions.map((one) => [one.questionId, one.question]));
  const applicant: LoanApplicant = {
    firstName: person.firstName,
    lastName: person.lastName,
    email: person.email,
    ...(typeof phone === 'string' ? { phoneNumber: phone } : {}),
    dateOfBirth: claim.dateOfBirth,
    country,
    employmentStatus: employmentOf(claim.employmentStatus),
    ...present({ monthlyIncome: monthlyIncome?.toString(), bvn, accountNumber, bankCode }),
    answers: claim.answers.map(({ questionId, answer }) => ({
      questionId,
      question: questions.get(questionId) ?? '',
      answer: answer.trim(),
    })),
  };
  return { applicant, faults };
}

/** `Self-Employed` and `SELF_EMPLOYED` are the same: rules compare the latter. */
function employmentOf(text: string): string {
  return text
    .trim()
    .toUpperCase()
    .replaceAll(/[\s-]+/g, '_');
}

function phoneIn(text: string, country: string): string | Fault {
  const code = text.trim().startsWith('+') ? undefined : countryOf(country)?.dialingCode;
  const found = phoneOrFault(text, code);
  return isFault(found) ? { ...found, field: 'phoneNumber' } : found;
}

/** What the request says of him must be what we know of him (spec 10.15): it is compared, never taken over. */
function identityFaults(claim: ApplicantClaim, { person, country }: CustomerView, today: string): Fault[] {
  const differs = (field: string) => fault(field, 'MISMATCH', 'is not what the customer’s profile says');
  const compare = (field: 'firstName' | 'lastName'): Fault[] => {
    const told = claim[field];
    return told === undefined || sameText(told, person?.[field] ?? '') ? [] : [differs(field)];
  };
  const age = dobFault(claim.dateOfBirth, today);
  const bornElsewhen = person?.dob !== undefined && person.dob !== claim.dateOfBirth;
  return [
    ...(age === undefined ? [] : [{ ...age, field: 'dateOfBirth' }]),
    ...(bornElsewhen ? [differs('dateOfBirth')] : []),
    ...compare('firstName'),
    ...compare('lastName'),
    ...(claim.country === undefined || isCountry(claim.country, country) ? [] : [differs('country')]),
  ];
}

const sameText = (a: string, b: string): boolean =>
  a.trim().normalize('NFC').toLowerCase() === b.trim().normalize('NFC').toLowerCase();

function isCountry(text: string, iso3: string): boolean {
  const country = COUNTRIES.find((one) => one.iso3 === iso3);
  return country !== undefined && [country.iso3, country.iso2, country.name].some((name) => sameText(name, text));
}

const NUBAN_MESSAGES = {
  'not-ten-digits': { field: 'accountNumber', message: 'a NUBAN has ten digits' },
  'not-a-bank-code': { field: 'bankCode', message: 'a bank code has 3, 5 or 6 digits' },
  'wrong-check-digit': { field: 'accountNumber', message: 'is no account number of this bank' },
} as const;

function accountFaults({ accountNumber, bankCode }: ApplicantClaim, country: string): Fault[] {
  if (accountNumber === undefined && bankCode === undefined) return [];
  if (accountNumber === undefined || bankCode === undefined) {
    const field = accountNumber === undefined ? 'accountNumber' : 'bankCode';
    return [fault(field, 'REQUIRED', 'accountNumber and bankCode go together')];
  }
  const wrong = country === 'NGA' ? nubanError(accountNumber, bankCode) : null;
  if (wrong === null) return [];
  const { field, message } = NUBAN_MESSAGES[wrong];
  return [fault(field, 'INVALID_ACCOUNT', message)];
}

const DECIMAL = /^-?\d{1,30}(?:\.\d{1,30})?$/;

/** Each question at most once, those that are required all, and as their type wants it. */
function answerFaults(answers: ApplicantClaim['answers'], questions: readonly EligibilityQuestion[]): Fault[] {
  const given = new Map(answers.map(({ questionId, answer }) => [questionId, answer.trim()]));
  const wrong = answers.flatMap(({ questionId, answer }, i) => {
    const field = `eligibilityAnswers.${i}`;
    const question = questions.find((one) => one.questionId === questionId);
    if (question === undefined) return [fault(`${field}.questionId`, 'UNKNOWN_QUESTION', 'is not asked')];
    if (answers.findIndex((one) => one.questionId === questionId) < i) {
      return [fault(`${field}.questionId`, 'DUPLICATE', 'was answered twice')];
    }
    return isAnswer(question, answer.trim()) ? [] : [fault(`${field}.answer`, 'INVALID_ANSWER', wants(question))];
  });
  const missing = questions.filter(({ questionId, required }) => required && (given.get(questionId) ?? '') === '');
  if (missing.length === 0) return wrong;
  const ids = missing.map(({ questionId }) => questionId).join(', ');
  return [...wrong, fault('eligibilityAnswers', 'REQUIRED', `not answered: ${ids}`)];
}

function isAnswer({ type, options, required }: EligibilityQuestion, answer: string): boolean {
  if (answer === '') return !required;
  if (type === 'NUMBER') return DECIMAL.test(answer);
  if (type === 'BOOLEAN') return answer === 'true' || answer === 'false';
  return type === 'TEXT' || options.includes(answer);
}

function wants({ type, options }: EligibilityQuestion): string {
  if (type === 'NUMBER') return 'is a decimal number';
  if (type === 'BOOLEAN') return 'is true or false';
  return type === 'SELECT' ? `is one of ${options.join(', ')}` : 'is an answer';
}
