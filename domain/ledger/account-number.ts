/**
 * Account numbers are ten digits: nine that count up from 100000001 in each tenant, and a Luhn check digit
 * (ISO/IEC 7812-1 Annex B), so that a mistyped digit or two neighbours swapped are noticed.
 */
const FIRST = 100_000_000;

/** The number made from the tenant's running number (from 1). */
export function accountNumberOf(sequence: number): string {
  const body = String(FIRST + sequence);
  return body + luhnCheckDigit(body);
}

/** Whether the last digit of a ten-digit number is right. */
export function isAccountNumber(text: string): boolean {
  return /^\d{10}$/.test(text) && luhnCheckDigit(text.slice(0, -1)) === text.slice(-1);
}

function luhnCheckDigit(body: string): string {
  let sum = 0;
  for (let i = 0; i < body.length; i += 1) {
    const digit = body.charCodeAt(body.length - 1 - i) - 48;
    const weighted = i % 2 === 0 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return String((10 - (sum % 10)) % 10);
}
