import { z } from 'zod';
import { isCurrency } from '../domain/shared/money.js';

/**
 * The pieces that the endpoints' schemas are made of. Everything has a limit; what is too long, too deep or of the
 * wrong kind is a 422 here and never reaches the domain.
 */
const UUID_TEXT = /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/;

/** An id: UUID text of any version (ours are ULIDs in UUID notation), read in lower case. */
export const uuid = z.string().max(36).regex(UUID_TEXT, 'must be a UUID').toLowerCase().meta({ format: 'uuid' });

export const accountNumber = z.string().min(1).max(64).meta({ example: '1234567890' });
/** A number that somebody chooses for a new account. */
export const newAccountNumber = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9:._/ -]*$/, 'has characters that an account number may not have');

export const currencyCode = z
  .string()
  .length(3)
  .refine(isCurrency, { error: 'is not an ISO 4217 currency', params: { code: 'UNKNOWN_CURRENCY' } })
  .meta({ description: 'ISO 4217 code', example: 'NGN', pattern: '^[A-Z]{3}$' });

/**
 * A decimal as JSON number or text; numbers that a double would change arrive as text (json.ts). Whether it fits its
 * currency is decided where the currency is known (amounts.ts).
 */
export const amount = z
  .union([z.number(), z.string().min(1).max(64)], { error: 'must be a number or decimal text' })
  .meta({
    id: 'Amount',
    description: "Decimal in major units, at most the currency's ISO 4217 decimals; JSON number or text",
    example: 1000,
  });

/** An amount in an answer. */
export const amountShown = z
  .number()
  .meta({ id: 'AmountShown', description: 'Exact decimal in major units', example: 1500 });

export const narration = z.string().max(512);
export const reason = z.string().min(1).max(512);

const SHORT_DATE = /^(\d{4}-\d{2}-\d{2})$/;
const BRITISH_DATE = /^(\d{2})\/(\d{2})\/(\d{4})$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;
const BRITISH_INSTANT = /^(\d{2})-(\d{2})-(\d{4})T(\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?)$/;

/** Milliseconds of an instant in ISO 8601 or the documented form, UTC where no zone is given; undefined when it is none. */
function instantMs(text: string): number | undefined {
  const british = BRITISH_INSTANT.exec(text);
  const iso = british === null ? text : `${british[3]}-${british[2]}-${british[1]}T${british[4]}`;
  const zone = INSTANT.exec(iso);
  if (zone === null) return undefined;
  const ms = Date.parse(zone[1] === undefined ? `${iso.replace(' ', 'T')}Z` : iso.replace(' ', 'T'));
  if (Number.isNaN(ms) || !isCalendarDate(iso.slice(0, 10))) return undefined;
  const year = new Date(ms).getUTCFullYear();
  return year >= 1900 && year <= 9999 ? ms : undefined;
}

/** Date.parse would make 2 March of 30 February. */
function isCalendarDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

/** YYYY-MM-DD of a date in any documented form; undefined when it is none. */
export function dateOf(text: string): string | undefined {
  const british = BRITISH_DATE.exec(text);
  const iso = british === null ? SHORT_DATE.exec(text)?.[1] : `${british[3]}-${british[2]}-${british[1]}`;
  if (iso !== undefined) return isCalendarDate(iso) && iso >= '1900-01-01' ? iso : undefined;
  const ms = instantMs(text);
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 10);
}

const badDate = { code: 'custom', message: 'is not a date', params: { code: 'INVALID_DATE' } } as const;

export const dateIn = z
  .string()
  .max(40)
  .meta({ description: 'YYYY-MM-DD; dd/MM/yyyy and ISO 8601 instants are understood too', example: '2026-11-22' })
  .transform((text, context) => {
    const date = dateOf(text);
    if (date === undefined) context.issues.push({ ...badDate, input: text });
    return date ?? '';
  });

export const instantIn = z
  .string()
  .max(40)
  .meta({ description: 'ISO 8601, UTC where no zone is given', example: '2026-11-22T10:30:00Z' })
  .transform((text, context) => {
    const ms = instantMs(text) ?? (isCalendarDate(text) ? Date.parse(`${text}T00:00:00Z`) : undefined);
    if (ms === undefined) context.issues.push({ ...badDate, input: text });
    return ms === undefined ? '' : new Date(ms).toISOString();
  });

export const MAX_PAGE_SIZE = 100;
const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE = 1_000_000;

/** A whole number of a path or query: digits only, so that nothing else counts as one. */
function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .max(16)
    .regex(/^\d+$/, 'must be a whole number')
    .transform((digits, context) => {
      const value = Number.parseInt(digits, 10);
      if (value < minimum) context.issues.push({ code: 'too_small', origin: 'number', minimum, input: value });
      if (value > maximum) context.issues.push({ code: 'too_big', origin: 'number', maximum, input: value });
      return value;
    });
}
const integer = (minimum: number, maximum: number) => ({ type: 'integer' as const, minimum, maximum });

const MAX_SIZE = 1_000_000;
const cutSize = wholeNumber(1, MAX_SIZE).transform((wanted) => Math.min(wanted, MAX_PAGE_SIZE));
export const size = cutSize.default(DEFAULT_PAGE_SIZE).meta({
  ...integer(1, MAX_SIZE),
  default: DEFAULT_PAGE_SIZE,
  description: `At most ${MAX_PAGE_SIZE}; larger sizes are cut to it`,
});
export const page = wholeNumber(1, MAX_PAGE)
  .default(1)
  .meta({ ...integer(1, MAX_PAGE), default: 1, description: 'From 1' });
/** The documented history path counts from 0 and has its numbers in the path. */
export const pageFromZero = wholeNumber(0, MAX_PAGE - 1).meta(integer(0, MAX_PAGE - 1));
export const sizeInPath = cutSize.meta(integer(1, MAX_SIZE));
export const revision = wholeNumber(0, Number.MAX_SAFE_INTEGER).meta(integer(0, Number.MAX_SAFE_INTEGER));

/** A paged list of our own: its members and the counters. */
export function pagedOf<Item extends z.ZodType>(name: string, item: Item) {
  return z.object({
    [name]: z.array(item),
    page: z.int(),
    size: z.int(),
    totalElements: z.int(),
    totalPages: z.int(),
  });
}
