import { z } from 'zod';
import {
  type EligibilityRule,
  type LoanProductSettings,
  QUESTION_TYPES,
  RULE_OPERATORS,
} from '../../domain/loan-product/events.js';
import { FACTS } from '../../application/loan/facts.js';
import { present } from '../../application/people/person-checks.js';
import { countryIso3 } from '../ciam/person-schemas.js';
import { wholeNumber } from './pieces.js';

/**
 * Eligibility and score of a product on the wire: the documented checks (age, countries, employment types) have members of
 * their own and are rules of reserved names inside; everything else is a rule.
 */
const FACT_HELP = `A fact of the application: ${Object.entries(FACTS)
  .map(([name, meaning]) => `\`${name}\` (${meaning})`)
  .join(', ')}; or \`answer:<questionId>\`. A fact that is not known meets no condition`;
const value = z.union([z.string().max(128), z.number(), z.boolean()]);
const condition = {
  fact: z.string().min(1).max(128).meta({ description: FACT_HELP, example: 'monthlyIncome' }),
  operator: z.enum(RULE_OPERATORS),
  value: z.union([value, z.array(value).min(1).max(250)]),
};
const ruleName = z.string().trim().min(1).max(128);
const eligibilityRuleIn = z.strictObject({ name: ruleName, ...condition });
const scoringRuleIn = z.strictObject({ name: ruleName, ...condition, points: wholeNumber(-10_000, 10_000) });

const MAX_RULES = 40;
export const eligibilityIn = z.strictObject({
  minAge: wholeNumber(0, 150).optional(),
  maxAge: wholeNumber(0, 150).optional(),
  countries: z.array(countryIso3).min(1).max(250).optional(),
  employmentTypes: z.array(z.string().trim().min(1).max(64)).min(1).max(50).optional(),
  rules: z.array(eligibilityRuleIn).max(MAX_RULES).optional(),
});
export const scoringIn = z.strictObject({
  rules: z.array(scoringRuleIn).max(100),
  highRiskBelow: wholeNumber(-1_000_000, 1_000_000).meta({ description: 'A lower score is high risk: refused' }),
  lowRiskFrom: wholeNumber(-1_000_000, 1_000_000).meta({ description: 'From here on low risk; between, medium' }),
});
export const questionIn = z.strictObject({
  questionId: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w.-]+$/, 'has letters, digits, dots, hyphens and underscores only'),
  question: z.string().trim().min(1).max(512),
  type: z.enum(QUESTION_TYPES).default('TEXT'),
  options: z.array(z.string().trim().min(1).max(128)).max(50).default([]),
  required: z.boolean().default(true),
});

const conditionShown = {
  fact: z.string(),
  operator: z.enum(RULE_OPERATORS),
  value: z.union([z.string(), z.array(z.string())]),
};
export const eligibilityRuleShown = z.object({ name: z.string(), ...conditionShown }).meta({ id: 'EligibilityRule' });
export const scoringRuleShown = z
  .object({ name: z.string(), ...conditionShown, points: z.int() })
  .meta({ id: 'ScoringRule' });
export const eligibilityShown = z.object({
  minAge: z.int().nullable(),
  maxAge: z.int().nullable(),
  countries: z.array(z.string()).nullable(),
  employmentTypes: z.array(z.string()).nullable(),
  rules: z.array(eligibilityRuleShown),
});
export const scoringShown = z.object({
  rules: z.array(scoringRuleShown),
  highRiskBelow: z.int(),
  lowRiskFrom: z.int(),
});
export const questionShown = z
  .object({
    questionId: z.string(),
    question: z.string(),
    type: z.enum(QUESTION_TYPES),
    options: z.array(z.string()),
    required: z.boolean(),
  })
  .meta({ id: 'EligibilityQuestion' });

type WireValue = z.output<typeof condition.value>;
const textOf = (given: WireValue): string | string[] => (Array.isArray(given) ? given.map(String) : String(given));

const RESERVED = {
  minAge: { name: 'minimum-age', fact: 'age', operator: 'GTE' },
  maxAge: { name: 'maximum-age', fact: 'age', operator: 'LTE' },
  countries: { name: 'countries', fact: 'country', operator: 'IN' },
  employmentTypes: { name: 'employment-types', fact: 'employmentStatus', operator: 'IN' },
} as const;
type Reserved = keyof typeof RESERVED;
const RESERVED_NAMES = Object.keys(RESERVED) as readonly Reserved[];

export function eligibilityOf(wire: z.output<typeof eligibilityIn>): EligibilityRule[] {
  const own = RESERVED_NAMES.flatMap((member): EligibilityRule[] => {
    const wanted = wire[member];
    if (wanted === undefined) return [];
    const { name, ...which } = RESERVED[member];
    return [{ name, must: { ...which, value: Array.isArray(wanted) ? [...wanted] : String(wanted) } }];
  });
  const rules = (wire.rules ?? []).map(({ name, fact, operator, value: wanted }) => ({
    name,
    must: { fact, operator, value: textOf(wanted) },
  }));
  // Last, so that what is wrong with a rule is told by its place in the request.
  return [...rules, ...own];
}

export function scoringOf(wire: z.output<typeof scoringIn>): LoanProductSettings['scoring'] {
  const { rules, highRiskBelow: high, lowRiskFrom: low } = wire;
  return {
    rules: rules.map(({ name, points, fact, operator, value: wanted }) => ({
      name,
      points,
      when: { fact, operator, value: textOf(wanted) },
    })),
    ...{ high, low },
  };
}

export function eligibilityOut(rules: readonly EligibilityRule[]) {
  const of = (member: Reserved) => rules.find(({ name }) => name === RESERVED[member].name)?.must.value;
  const number = (member: Reserved) => {
    const text = of(member);
    return typeof text === 'string' ? Number.parseInt(text, 10) : null;
  };
  const list = (member: Reserved) => {
    const values = of(member);
    return Array.isArray(values) ? values : null;
  };
  const reserved = new Set<string>(RESERVED_NAMES.map((member) => RESERVED[member].name));
  return {
    minAge: number('minAge'),
    maxAge: number('maxAge'),
    countries: list('countries'),
    employmentTypes: list('employmentTypes'),
    rules: rules.filter(({ name }) => !reserved.has(name)).map(({ name, must }) => ({ name, ...must })),
  };
}

export function scoringOut({ rules, high, low }: LoanProductSettings['scoring']) {
  return {
    rules: rules.map(({ name, when, points }) => ({ name, ...when, points })),
    ...{ highRiskBelow: high, lowRiskFrom: low },
  };
}

export function questionsOf(wire: ReadonlyArray<z.output<typeof questionIn>>): LoanProductSettings['questions'] {
  return wire.map((question) => ({ ...present(question), options: [...question.options] }));
}
