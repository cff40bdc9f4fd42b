import { z } from 'zod';
import { FREQUENCY_UNITS, SCHEDULE_TYPES, type ScheduleType } from '../../domain/loan/terms.js';
import { decimalOut } from '../json.js';
import { amount, amountShown, size } from '../schemas.js';

/** Pieces of the lending schemas: what a product, a loan and an application have in common. */
const PERCENT = /^\d{1,9}(?:\.\d{1,12})?$/;

/** Percent as JSON number or text; decimal text inside. 12.5 is 12.5 %. */
export const percentIn = z
  .union([z.number(), z.string().max(23)], { error: 'must be a number or decimal text' })
  .meta({ description: 'Percent: 12.5 is 12.5 %', example: 12.5 })
  .transform((given, context) => {
    const text = typeof given === 'number' ? String(given) : given;
    if (PERCENT.test(text)) return shortest(text);
    const params = { code: 'INVALID_PERCENT' };
    context.issues.push({
      code: 'custom',
      message: 'is not a percentage of at most 12 decimals',
      params,
      input: given,
    });
    return '0';
  });
const shortest = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

export const percentShown = z.number().meta({ description: 'Percent, exact', example: 12.5 });

/** Decimal text as the exact JSON number. */
export function percentOut(text: string) {
  return decimalOut(text);
}

/** The documents' word for equal instalments on the reducing balance; the other types are their own names. */
const WIRE_TYPES = { EQUAL_INSTALMENTS: 'REDUCING_BALANCE' } as const;
export const AMORTISATIONS = SCHEDULE_TYPES.map((type) =>
  type === 'EQUAL_INSTALMENTS' ? WIRE_TYPES[type] : type,
) as ReadonlyArray<Exclude<ScheduleType, 'EQUAL_INSTALMENTS'> | 'REDUCING_BALANCE'>;
type Amortisation = (typeof AMORTISATIONS)[number];

export const amortisation = z.enum(AMORTISATIONS as [Amortisation, ...Amortisation[]]);
export function amortisationIn(wire: Amortisation): ScheduleType {
  return wire === 'REDUCING_BALANCE' ? 'EQUAL_INSTALMENTS' : wire;
}
export function amortisationOut(type: ScheduleType): Amortisation {
  return type === 'EQUAL_INSTALMENTS' ? 'REDUCING_BALANCE' : type;
}

export const tenureUnit = z.enum(FREQUENCY_UNITS);
/** The lending pages list ten unless told otherwise. */
export const smallSize = size.unwrap().default(10).meta({ type: 'integer', minimum: 1, default: 10 });
export const wholeNumber = (least: number, most: number) => z.int().min(least).max(most);

const charge = {
  type: z.enum(['FIXED', 'PERCENTAGE']),
  amount: amount.optional().meta({ description: 'Of a FIXED one' }),
  percentage: percentIn.optional().meta({ description: 'Of a PERCENTAGE one' }),
};
export const feeIn = z.strictObject({
  name: z.string().trim().min(1).max(128),
  when: z
    .enum(['UPFRONT', 'INSTALMENT'])
    .default('UPFRONT')
    .meta({ description: 'UPFRONT: taken from what is disbursed. INSTALMENT: with each instalment' }),
  ...charge,
});
export const penaltyIn = z.strictObject({
  graceDays: wholeNumber(0, 366).default(0),
  when: z
    .enum(['FLAT', 'DAILY'])
    .default('FLAT')
    .meta({ description: 'FLAT: once for each overdue instalment. DAILY: for each day' }),
  ...charge,
  cap: amount.optional().meta({ description: 'Most that one instalment is charged' }),
});

const chargeShown = {
  type: z.enum(['FIXED', 'PERCENTAGE']),
  amount: amountShown.nullable(),
  percentage: percentShown.nullable(),
};
export const feeShown = z
  .object({ name: z.string(), when: z.enum(['UPFRONT', 'INSTALMENT']), ...chargeShown })
  .meta({ id: 'LoanFee' });
export const penaltyShown = z
  .object({
    graceDays: z.int(),
    when: z.enum(['FLAT', 'DAILY']),
    ...chargeShown,
    cap: amountShown.nullable(),
  })
  .meta({ id: 'LoanPenalty' });
