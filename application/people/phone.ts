// The largest of the three lists: only it knows which numbers a country has, not only how long they are.
import { getCountries, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Longest text that can be a phone number with its spaces and signs. */
export const MAX_PHONE_LENGTH = 40;

/** The library throws where it is given another one. */
const DIALLING_CODES: ReadonlySet<string> = new Set(getCountries().map((country) => getCountryCallingCode(country)));
const DIALLED = /^\+?[\d\s().-]+$/;

/**
 * E.164 of a number as people write it: international with `+` (or `00`), or national with the dialling code beside it.
 * Undefined when there is no such number, or when the number has another country's code than `dialingCode` says.
 */
export function phoneOf(text: string, dialingCode?: string): string | undefined {
  if (text.length > MAX_PHONE_LENGTH || !DIALLED.test(text)) return undefined;
  const written = text.trim().replace(/^00/, '+');
  const code = dialingCode?.replace(/\D/g, '') ?? '';
  if (!written.startsWith('+') && code === '') return undefined;
  const number = parsePhoneNumberFromString(written, DIALLING_CODES.has(code) ? { defaultCallingCode: code } : {});
  if (number === undefined || !number.isValid()) return undefined;
  return code === '' || number.countryCallingCode === code ? number.number : undefined;
}
