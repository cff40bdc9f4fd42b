/**
 * Nigeria Uniform Bank Account Number: nine digits of a serial number and a check digit that also covers the code of the
 * bank. Central Bank of Nigeria, "Revised Standards on Nigeria Uniform Bank Account Number (NUBAN) for Banks and Other
 * Financial Institutions in Nigeria", 2020: the code has six digits, of a deposit money bank its three behind `000`, of
 * another institution its five behind `9`. The weights 3, 7, 3 repeat, so three digits more in front change nothing and
 * the numbers of the scheme of 2010 (three-digit codes) stay what they were.
 */
export type NubanError = 'not-ten-digits' | 'not-a-bank-code' | 'wrong-check-digit';

const WEIGHTS = [3, 7, 3];
const ACCOUNT_NUMBER = /^\d{10}$/;

/** Why an account number cannot be one of this bank; null where it can. It does not say that the account exists. */
export function nubanError(accountNumber: string, bankCode: string): NubanError | null {
  if (!ACCOUNT_NUMBER.test(accountNumber)) return 'not-ten-digits';
  const digit = nubanCheckDigit(bankCode, accountNumber.slice(0, 9));
  if (digit === null) return 'not-a-bank-code';
  return accountNumber.endsWith(String(digit)) ? null : 'wrong-check-digit';
}

/** The check digit for a bank's code (3, 5 or 6 digits) and a serial number of nine digits; null where either is neither. */
export function nubanCheckDigit(bankCode: string, serial: string): number | null {
  const code = sixDigitCode(bankCode);
  if (code === null || !/^\d{9}$/.test(serial)) return null;
  const sum = [...(code + serial)].reduce(
    (total, digit, index) => total + Number.parseInt(digit, 10) * (WEIGHTS[index % 3] ?? 0),
    0,
  );
  return (10 - (sum % 10)) % 10;
}

function sixDigitCode(bankCode: string): string | null {
  if (/^\d{3}$/.test(bankCode)) return `000${bankCode}`;
  if (/^\d{5}$/.test(bankCode)) return `9${bankCode}`;
  return /^\d{6}$/.test(bankCode) ? bankCode : null;
}
