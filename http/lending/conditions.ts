import { z } from 'zod';
import type { LoanConditionsView, LoanProductView } from '../../application/ports/lending-read-models.js';
import { ExactDecimal, formatAmount } from '../../domain/shared/money.js';
import { execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, unavailable } from '../problem.js';
import { uuid } from '../schemas.js';
import { noSuch } from '../scope.js';
import { percentIn } from './pieces.js';
import { READERS } from './products.js';

const organisationId = uuid.meta({ description: 'Id of the tenant' });
const params = z.object({ organisationId });
const MOST_PRODUCTS = 1_000;

/** Free texts by name, of which the products fill those that staff left out. */
const SECTIONS = ['interestRateRange', 'feeStructure', 'repaymentTerms', 'eligibilityCriteria'] as const;
type Section = (typeof SECTIONS)[number];
type Texts = Readonly<Record<string, string>>;

const texts = z.record(z.string(), z.string()).meta({ type: 'object', additionalProperties: { type: 'string' } });
const termsShape = z
  .object({
    organisationId: z.string(),
    version: z.int().meta({ description: '0: staff set none yet' }),
    termsAndConditions: z.string(),
    interestRateRange: texts,
    feeStructure: texts,
    repaymentTerms: texts,
    eligibilityCriteria: texts,
    lastUpdated: z.string(),
  })
  .meta({ id: 'LoanTermsAndConditions' });

const TERMS_EXAMPLE = {
  organisationId: EXAMPLE.tenantId,
  version: 1,
  termsAndConditions: 'The borrower repays the loan in the instalments of the schedule.',
  interestRateRange: { minimum: '12.5', maximum: '24' },
  feeStructure: { 'Salary advance': 'Processing: 500.00 NGN upfront' },
  repaymentTerms: { 'Salary advance': '1 to 24 MONTHS by BANK_TRANSFER, WALLET' },
  eligibilityCriteria: { 'Salary advance': 'age GTE 18' },
  lastUpdated: EXAMPLE.at,
};

/** What the active products say of themselves, in a line each. */
function fromProducts(products: readonly LoanProductView[]): Record<Section, Texts> {
  const rates = products.map(({ settings }) => new ExactDecimal(settings.annualRatePercent));
  const by = (line: (product: LoanProductView['settings']) => string): Texts =>
    Object.fromEntries(products.map(({ settings }) => [settings.name, line(settings)]));
  return {
    interestRateRange:
      rates.length === 0
        ? {}
        : { minimum: ExactDecimal.min(...rates).toFixed(), maximum: ExactDecimal.max(...rates).toFixed() },
    feeStructure: by(({ fees, currency }) => {
      const line = ({ name, when, amount, percent }: (typeof fees)[number]) => {
        const much =
          amount === undefined ? `${percent ?? '0'} %` : `${formatAmount(BigInt(amount), currency)} ${currency}`;
        return `${name}: ${much} ${when === 'UPFRONT' ? 'upfront' : 'with each instalment'}`;
      };
      return fees.length === 0 ? 'no fees' : fees.map(line).join('; ');
    }),
    repaymentTerms: by(({ minInstalments, maxInstalments, frequency: { every, unit }, repaymentMethods }) => {
      return `${minInstalments * every} to ${maxInstalments * every} ${unit} by ${repaymentMethods.join(', ')}`;
    }),
    eligibilityCriteria: by(({ eligibility }) => {
      const line = ({ must: { fact, operator, value } }: (typeof eligibility)[number]) =>
        `${fact} ${operator} ${typeof value === 'string' ? value : value.join(', ')}`;
      return eligibility.length === 0 ? 'none' : eligibility.map(line).join('; ');
    }),
  };
}

async function termsOut(call: Call, conditions: LoanConditionsView | undefined) {
  const { readModels } = call.services;
  const { tenantId } = call.caller;
  const [{ items }, tenant] = await Promise.all([
    readModels.loanProducts(tenantId, { status: 'ACTIVE' }, { page: 1, size: MOST_PRODUCTS }),
    readModels.tenant(tenantId),
  ]);
  const made = fromProducts(items);
  const section = (name: Section): Texts => conditions?.details[name] ?? made[name];
  return {
    organisationId: tenantId,
    version: conditions?.conditionsVersion ?? 0,
    termsAndConditions: conditions?.text ?? '',
    interestRateRange: section('interestRateRange'),
    feeStructure: section('feeStructure'),
    repaymentTerms: section('repaymentTerms'),
    eligibilityCriteria: section('eligibilityCriteria'),
    lastUpdated: conditions?.updatedAt ?? tenant?.createdAt ?? '',
  };
}

/** Another organisation's terms are none of the caller's business. */
function checkOwn(call: Call, organisation: string): void {
  if (organisation !== call.caller.tenantId) throw noSuch('organisation');
}

export const getLoanTerms = defineEndpoint({
  id: 'get-loan-terms',
  group: 'lending',
  title: 'Get loan terms',
  description:
    'The terms and conditions that borrowers accept. What staff did not describe is made from the active products.',
  method: 'GET',
  path: '/api/v1/services/user/get-loan-terms/{organisationId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { own: { params: { organisationId: EXAMPLE.tenantId } } },
  success: { status: 200, description: 'The terms', data: termsShape, example: TERMS_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    checkOwn(call, call.params.organisationId);
    const conditions = await call.services.readModels.loanConditions(call.caller.tenantId);
    return { kind: 'answer', message: 'Loan terms', data: await termsOut(call, conditions) };
  },
});

const name = z.string().trim().min(1).max(64);
const value = z.union([z.string().max(2000), percentIn]);
const section = z
  .record(name, value)
  .refine((map) => Object.keys(map).length <= 100, { error: 'has at most 100 entries', params: { code: 'TOO_LONG' } })
  .meta({ type: 'object', additionalProperties: true, description: 'Free map of texts' })
  .optional();

export const setLoanTerms = defineEndpoint({
  id: 'set-loan-terms',
  group: 'lending',
  title: 'Set loan terms',
  description: 'A new version of the terms and conditions: offers that are accepted from now on are accepted with it.',
  method: 'PUT',
  path: '/api/v6/services/admin/loan-terms/{organisationId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({
    termsAndConditions: z.string().trim().min(1).max(60_000),
    interestRateRange: section,
    feeStructure: section,
    repaymentTerms: section,
    eligibilityCriteria: section,
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    text: {
      params: { organisationId: EXAMPLE.tenantId },
      body: { termsAndConditions: 'The borrower repays the loan in the instalments of the schedule.' },
    },
    described: {
      params: { organisationId: EXAMPLE.tenantId },
      body: {
        termsAndConditions: 'The borrower repays the loan in the instalments of the schedule.',
        interestRateRange: { minimum: 12.5, maximum: 24 },
        eligibilityCriteria: { age: '18 and older', country: 'residents of Nigeria' },
      },
    },
  },
  success: { status: 200, description: 'The terms', data: termsShape, example: TERMS_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    checkOwn(call, call.params.organisationId);
    const { termsAndConditions: text, ...sections } = call.body;
    const details = Object.fromEntries(
      SECTIONS.flatMap((each) => (sections[each] === undefined ? [] : [[each, sections[each]]])),
    );
    const done = await execute(call, 'set-loan-conditions', { text, details });
    if (isFailure(done)) return done;
    const { readModels, config } = call.services;
    const caught = await readModels.waitFor(done.position, config.positionWaitMs);
    if (!caught) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
    const data = await termsOut(call, await readModels.loanConditions(call.caller.tenantId));
    return { kind: 'answer', message: 'Loan terms set', data, position: done.position, replayed: done.replayed };
  },
});
