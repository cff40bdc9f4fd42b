/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 6;
const MODULUS = 32n ** 6n;

/** `factor` is odd, so that multiplying by it permutes the numbers below 2^30: codes do not show how many there are. */
export interface Scatter {
  readonly factor: bigint;
  readonly offset: bigint;
}

/** The n-th short code of its kind: unique below 2^30 of them, one character longer from there on. */
export function shortCode(sequence: number, { factor, offset }: Scatter): string {
  const wide = BigInt(sequence);
  const round = wide / MODULUS;
  let rest = (wide * factor + offset) % MODULUS;
  let code = '';
  for (let i = 0; i < LENGTH; i += 1) {
    code = ALPHABET.charAt(Number.parseInt((rest % 32n).toString(), 10)) + code;
    rest /= 32n;
  }
  return round === 0n ? code : code + round.toString();
}
