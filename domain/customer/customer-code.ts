/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 6;
const MODULUS = 32n ** 6n;
/** Odd, so that multiplying by it permutes the numbers below 2^30: codes do not show how many customers there are. */
const FACTOR = 693_147_181n;
const OFFSET = 271_828_183n;

/** The short code of the n-th customer of a tenant: unique below 2^30 customers, one character longer from there on. */
export function customerCodeOf(sequence: number): string {
  const wide = BigInt(sequence);
  const round = wide / MODULUS;
  let rest = (wide * FACTOR + OFFSET) % MODULUS;
  let code = '';
  for (let i = 0; i < LENGTH; i += 1) {
    code = ALPHABET.charAt(Number.parseInt((rest % 32n).toString(), 10)) + code;
    rest /= 32n;
  }
  return round === 0n ? code : code + round.toString();
}
