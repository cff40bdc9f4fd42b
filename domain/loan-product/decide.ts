import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import { BUCKETS, type Bucket } from '../loan/terms.js';
import type { LoanFeeJson, LoanPenaltyJson } from '../loan/terms-json.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { ExactDecimal } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type { SaveLoanProduct, SetLoanConditions, SetLoanProductStatus, SetLoanQuestions } from './commands.js';
import { type LoanProductSettings, loanProductSettings } from './events.js';
import type { LoanProductState } from './loan-product.js';

/** Most versions of one product. */
export const MAX_PRODUCT_VERSIONS = 10_000;

export const decideSaveLoanProduct: Decide<SaveLoanProduct> = ({ product, isNew, settings }, context) => {
  const state = isNew ? unusedProduct(product, context) : knownProduct(product, context);
  return isRefusal(state) ? state : save(product, state, settings, context);
};

export const decideSetLoanQuestions: Decide<SetLoanQuestions> = ({ product, questions }, context) => {
  const state = knownProduct(product, context);
  if (isRefusal(state)) return state;
  return save(product, state, { ...state.settings, questions: [...questions] }, context);
};

type KnownProduct = LoanProductState & { readonly settings: LoanProductSettings };

function knownProduct(id: string, context: DecisionContext): KnownProduct | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const product = context.state('loan-product', id);
  return product.settings === undefined
    ? refuse('loan-product-not-found', 'there is no such loan product')
    : { ...product, settings: product.settings };
}

function unusedProduct(id: string, context: DecisionContext): LoanProductState | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const product = context.state('loan-product', id);
  return product.status === 'NONE' ? product : refuse('loan-product-exists', 'there is such a loan product');
}

function save(
  product: string,
  state: LoanProductState,
  given: LoanProductSettings,
  context: DecisionContext,
): Refusal | undefined {
  // Parsed, members stand in the order of the schema: what is the same reads the same.
  const parsed = loanProductSettings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse('invalid-argument', issue?.message ?? 'the settings are not right', {
      field: issue?.path.join('.') ?? '',
    });
  }
  const settings = parsed.data;
  if (state.settings !== undefined && JSON.stringify(settings) === JSON.stringify(state.settings)) return undefined;
  const refusal = checkSettings(settings, context);
  if (refusal !== undefined) return refusal;
  if (state.version >= MAX_PRODUCT_VERSIONS) {
    return refuse('too-many-settings', `a product has at most ${MAX_PRODUCT_VERSIONS} versions`);
  }
  context.emit({
    type: 'loan-product-saved',
    version: 1,
    data: { product, productVersion: state.version + 1, settings },
    tags: [tagOf('loan-product', product)],
  });
  return undefined;
}

/** What members must be to each other; each by itself is the schema's. */
function checkSettings(settings: LoanProductSettings, context: DecisionContext): Refusal | undefined {
  const { currency, minAmount, maxAmount, minInstalments, maxInstalments, scoring } = settings;
  if (!context.state('tenant', context.tenantId).settings.currencies.includes(currency)) {
    return refuse('currency-not-enabled', `${currency} is not a currency of this tenant`, { field: 'currencyCode' });
  }
  const faults: ReadonlyArray<readonly [boolean, string]> = [
    [BigInt(minAmount) <= 0n || BigInt(minAmount) > BigInt(maxAmount), 'minAmount'],
    [minInstalments > maxInstalments, 'minInstalments'],
    [BigInt(settings.rounding.multiple) <= 0n, 'rounding'],
    [settings.schedule === 'BALLOON' && !isShare(settings.balloonPercent), 'balloonPercent'],
    [settings.downPaymentPercent !== undefined && !isShare(settings.downPaymentPercent), 'downPaymentPercent'],
    [settings.graceOnPrincipal >= maxInstalments, 'graceOnPrincipal'],
    [settings.graceOnInterest >= maxInstalments, 'graceOnInterest'],
    [settings.fees.some((fee) => !saysHowMuch(fee)), 'fees'],
    [settings.penalty !== undefined && !saysHowMuch(settings.penalty), 'penalty'],
    [!isOrder(settings.allocation.due) || !isOrder(settings.allocation.inAdvance), 'allocation'],
    [!areRates(settings), 'interestRate'],
    [scoring.low < scoring.high, 'scoring'],
    [!areQuestions(settings.questions), 'questions'],
  ];
  const fault = faults.find(([isFault]) => isFault);
  return fault === undefined
    ? undefined
    : refuse('invalid-argument', `${fault[1]} does not fit the rest`, { field: fault[1] });
}

function saysHowMuch({ kind, amount, percent }: LoanFeeJson | LoanPenaltyJson): boolean {
  return (kind === 'FIXED' ? amount : percent) !== undefined;
}

/** More than nothing, less than all. */
function isShare(percent: string | undefined): boolean {
  return percent !== undefined && new ExactDecimal(percent).gt(0) && new ExactDecimal(percent).lt(100);
}

function isOrder(order: readonly Bucket[]): boolean {
  return BUCKETS.every((bucket) => order.includes(bucket));
}

function areRates({ annualRatePercent, minRatePercent, maxRatePercent }: LoanProductSettings): boolean {
  const rate = new ExactDecimal(annualRatePercent);
  return rate.lte(1_000) && rate.gte(minRatePercent ?? 0) && rate.lte(maxRatePercent ?? 1_000);
}

function areQuestions(questions: LoanProductSettings['questions']): boolean {
  const ids = new Set(questions.map(({ questionId }) => questionId));
  return (
    ids.size === questions.length && questions.every(({ type, options }) => type !== 'SELECT' || options.length > 0)
  );
}

export const decideSetLoanProductStatus: Decide<SetLoanProductStatus> = ({ product, to }, context) => {
  const state = knownProduct(product, context);
  if (isRefusal(state)) return state;
  if (state.status === to) return undefined;
  context.emit({
    type: 'loan-product-status-set',
    version: 1,
    data: { product, from: state.status, to },
    tags: [tagOf('loan-product', product)],
  });
  return undefined;
};

export const decideSetLoanConditions: Decide<SetLoanConditions> = ({ text, details }, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const conditionsVersion = context.state('tenant', context.tenantId).loanConditionsVersion + 1;
  context.emit({
    type: 'loan-conditions-set',
    version: 1,
    data: { conditionsVersion, text, details },
    tags: [tagOf('tenant', context.tenantId)],
  });
  return undefined;
};
