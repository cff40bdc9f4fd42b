import type { EligibilityRule, LoanProductSettings, ScoringRule } from '../loan-product/events.js';
import { ExactDecimal } from '../shared/money.js';
import type { LoanFacts } from './commands.js';
import type { LoanAssessed } from './events.js';

/**
 * Automated checks and the score of an application: rules are data of the product, applied to facts by name. Every rule
 * is applied and its result kept, also after one was not met, so that a decision can be explained.
 */
type Condition = EligibilityRule['must'];
type Assessment = Omit<LoanAssessed['data'], 'loan'>;

export function assess(settings: Pick<LoanProductSettings, 'eligibility' | 'scoring'>, facts: LoanFacts): Assessment {
  const eligibility = settings.eligibility.map((applied) => ({
    rule: applied.name,
    met: isMet(applied.must, facts),
    applied,
  }));
  const scoring = settings.scoring.rules.map((applied) => scored(applied, facts));
  const score = scoring.reduce((sum, { points }) => sum + points, 0);
  const { high, low } = settings.scoring;
  const risk = score < high ? 'HIGH' : score >= low ? 'LOW' : 'MEDIUM';
  const passes = risk !== 'HIGH' && eligibility.every(({ met }) => met);
  return { eligibility, scoring, score, risk, outcome: passes ? 'REVIEW' : 'REJECTED' };
}

function scored(applied: ScoringRule, facts: LoanFacts): Assessment['scoring'][number] {
  const met = isMet(applied.when, facts);
  return { rule: applied.name, met, applied, points: met ? applied.points : 0 };
}

const DECIMAL = /^-?\d{1,30}(?:\.\d{1,30})?$/;

/** Whether a condition is met. A fact that is not there meets none, not even one that asks for a difference. */
export function isMet({ fact, operator, value }: Condition, facts: LoanFacts): boolean {
  const known = Object.hasOwn(facts, fact) ? facts[fact] : undefined;
  if (known === undefined) return false;
  const listed = typeof value === 'string' ? [value] : value;
  switch (operator) {
    case 'EQ':
    case 'IN':
      return listed.some((one) => isSame(known, one));
    case 'NE':
    case 'NOT_IN':
      return !listed.some((one) => isSame(known, one));
    case 'GT':
    case 'GTE':
    case 'LT':
    case 'LTE':
      return listed.length === 1 && isOrdered(known, operator, listed[0] ?? '');
  }
}

/** Numbers by their value (`18` is `18.0`), anything else by its text. */
function isSame(a: string, b: string): boolean {
  return DECIMAL.test(a) && DECIMAL.test(b) ? new ExactDecimal(a).eq(b) : a === b;
}

function isOrdered(a: string, operator: 'GT' | 'GTE' | 'LT' | 'LTE', b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  const order = new ExactDecimal(a).cmp(b);
  switch (operator) {
    case 'GT':
      return order > 0;
    case 'GTE':
      return order >= 0;
    case 'LT':
      return order < 0;
    case 'LTE':
      return order <= 0;
  }
}
