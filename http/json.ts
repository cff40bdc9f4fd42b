/**
 * JSON without binary floats. Reading: `JSON.parse` when every number in the text survives it exactly (at most 15
 * significant digits, no exponent); else such numbers become strings first, so that the money schema sees the digits
 * that were sent. Writing: exact decimals too long for a number are written digit by digit.
 */
export const MAX_DEPTH = 24;
/** Every decimal of at most 15 significant digits survives a round trip through a double (IEEE 754, DBL_DIG). */
const SAFE_DIGITS = 15;

const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = '\\';

export type JsonError = 'MALFORMED_JSON' | 'TOO_DEEP' | 'INVALID_TEXT';
export type JsonResult = { readonly value: unknown } | { readonly error: JsonError };

/** Parses a body. Duplicate members: the last one counts, as in every JSON.parse; what is validated is what is used. */
export function parseJson(text: string): JsonResult {
  const escapes = text.includes(BACKSLASH);
  const scan = scanText(text, escapes);
  if (scan === 'too-deep') return { error: 'TOO_DEEP' };
  let value: unknown;
  try {
    value = JSON.parse(scan.length === 0 ? text : withQuotes(text, scan));
  } catch {
    return { error: 'MALFORMED_JSON' };
  }
  // Without escapes there are no control characters and no lone surrogates: JSON and UTF-8 forbid them raw.
  if ((escapes || RARE.test(text)) && !isCleanText(value)) return { error: 'INVALID_TEXT' };
  return { value };
}

/** DEL and the C1 controls, which may stand in JSON unescaped. */
const RARE = /[\u007f-\u009f]/;
/** Control characters other than tab, line feed and carriage return; surrogates without their other half. */
const UNCLEAN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/u;

/** Whether a single text has no control characters (tab and line ends aside) and no lone surrogates. */
export function isClean(text: string): boolean {
  return !UNCLEAN.test(text);
}

function isCleanText(value: unknown): boolean {
  if (typeof value === 'string') return isClean(value);
  if (Array.isArray(value)) return value.every(isCleanText);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => isClean(name) && isCleanText(member));
}

/** Start and end, in turn, of each number that a double would change; one pass, strings are skipped whole. */
function scanText(text: string, escapes: boolean): readonly number[] | 'too-deep' {
  const found: number[] = [];
  const { length } = text;
  let depth = 0;
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i, escapes);
    } else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > MAX_DEPTH) return 'too-deep';
    } else if (code === 93 || code === 125) {
      depth -= 1;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const start = i;
      const end = endOfNumber(text, start);
      i = end - 1;
      if (end - start > SAFE_DIGITS || hasExponent(text, start, end)) found.push(start, end);
    }
  }
  return found;
}

function endOfString(text: string, start: number, escapes: boolean): number {
  let end = text.indexOf('"', start + 1);
  if (escapes) {
    // A quote after an odd number of backslashes is part of the string.
    while (end > 0) {
      let before = end - 1;
      while (text.charCodeAt(before) === 92) before -= 1;
      if ((end - before) % 2 === 1) break;
      end = text.indexOf('"', end + 1);
    }
  }
  return end < 0 ? text.length : end;
}

/** Digits, signs, points and exponents that follow each other; whether they make a number is JSON.parse's business. */
function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  for (; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const inNumber =
      (code >= ZERO && code <= NINE) || code === POINT || code === 101 || code === 69 || code === 43 || code === MINUS;
    if (!inNumber) break;
  }
  return i;
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 101 || code === 69) return true;
  }
  return false;
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The text with those numbers as strings. What only looks like a number is left for JSON.parse to refuse. */
function withQuotes(text: string, spans: readonly number[]): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] ?? 0;
    const end = spans[i + 1] ?? 0;
    const token = text.slice(start, end);
    out += text.slice(from, start) + (JSON_NUMBER.test(token) ? `"${token}"` : token);
    from = end;
  }
  return out + text.slice(from);
}

/**
 * An exact decimal for an answer: a number where a double holds it, else a text marked to be written as a bare number.
 * The mark is NUL, which no text that we accept can contain.
 */
export function decimalOut(text: string): number | string {
  // A double holds every decimal of this length exactly, and prints it back the same.
  return text.length <= SAFE_DIGITS ? Number(text) : `\u0000${text}`;
}

const MARKED = /"\\u0000(-?\d+(?:\.\d+)?)"/g;

/** JSON that is text already, written as it is. */
export class RawJson {
  constructor(readonly text: string) {}
}

/** JSON text of an answer; marked decimals are written as JSON numbers with all their digits. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  const text = JSON.stringify(value);
  return text.includes('"\\u0000') ? text.replace(MARKED, '$1') : text;
}
