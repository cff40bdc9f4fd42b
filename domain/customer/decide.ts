import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type {
  AddBankDetails,
  ChangeCustomerProfile,
  EraseCustomer,
  RegisterCustomer,
  RemoveBankDetails,
  SetCustomerPicture,
  SetCustomerStatus,
  VerifyCustomer,
} from './commands.js';
import { type CustomerState, MAX_BANK_DETAILS } from './customer.js';
import { customerCodeOf } from './customer-code.js';
import type { ComplianceStatus, CustomerStatus } from './events.js';

/** After verification a change of one of these asks for another look (identity-compliance.md 3.3). */
const REVIEWED_MEMBERS: ReadonlySet<string> = new Set(['firstName', 'lastName', 'dob', 'nationality']);

export const decideRegisterCustomer: Decide<RegisterCustomer> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  if (context.state('customer', command.customer).status !== 'NONE') {
    return refuse('invalid-state', 'there is such a customer');
  }
  if (command.agent !== undefined) {
    const { status } = context.state('agent', command.agent);
    if (status === 'NONE') return refuse('agent-not-found', 'there is no such agent');
    if (status !== 'ACTIVE') return refuse('agent-suspended', 'the agent is suspended');
  }
  const codeSequence = context.state('tenant', context.tenantId).customerSequence + 1;
  const { customer, customerType, country, agent, person } = command;
  context.emit({
    type: 'customer-registered',
    version: 1,
    data: {
      customer,
      code: customerCodeOf(codeSequence),
      codeSequence,
      customerType,
      country,
      ...(agent === undefined ? {} : { agent }),
      person,
    },
    tags: [
      tagOf('customer', customer),
      tagOf('tenant', context.tenantId),
      ...(agent === undefined ? [] : [tagOf('agent', agent)]),
    ],
  });
  return undefined;
};

/** The customer, unless there is none or nothing may be done to him any more. */
function knownCustomer(id: string, context: DecisionContext): CustomerState | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const customer = context.state('customer', id);
  return customer.status === 'NONE' || customer.status === 'ERASED'
    ? refuse('customer-not-found', 'there is no such customer')
    : customer;
}

export const decideChangeCustomerProfile: Decide<ChangeCustomerProfile> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  if (command.changed.length === 0) return undefined;
  const { customer: id, changed, country, person } = command;
  const tags = [tagOf('customer', id)];
  context.emit({
    type: 'customer-profile-changed',
    version: 1,
    data: { customer: id, changed: [...changed], country, person },
    tags,
  });
  if (customer.complianceStatus === 'APPROVED' && changed.some((member) => REVIEWED_MEMBERS.has(member))) {
    setCompliance(id, 'APPROVED', 'REVIEW_DUE', undefined, context);
  }
  return undefined;
};

function setCompliance(
  customer: string,
  from: ComplianceStatus,
  to: ComplianceStatus,
  reason: string | undefined,
  context: DecisionContext,
): void {
  context.emit({
    type: 'customer-compliance-set',
    version: 1,
    data: { customer, from, to, ...(reason === undefined ? {} : { reason }) },
    tags: [tagOf('customer', customer)],
  });
}

function setStatus(
  customer: string,
  from: CustomerStatus,
  to: CustomerStatus,
  reason: string | undefined,
  context: DecisionContext,
): void {
  context.emit({
    type: 'customer-status-set',
    version: 1,
    data: { customer, from, to, ...(reason === undefined ? {} : { reason }) },
    tags: [tagOf('customer', customer)],
  });
}

export const decideSetCustomerPicture: Decide<SetCustomerPicture> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  const { file, contentType } = command;
  context.emit({
    type: 'customer-picture-set',
    version: 1,
    data: { customer: command.customer, file, contentType },
    tags: [tagOf('customer', command.customer)],
  });
  return undefined;
};

export const decideSetCustomerStatus: Decide<SetCustomerStatus> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  if (customer.status !== command.to)
    setStatus(command.customer, customer.status as CustomerStatus, command.to, command.reason, context);
  return undefined;
};

export const decideVerifyCustomer: Decide<VerifyCustomer> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  const to = command.decision === 'APPROVE' ? 'APPROVED' : 'REJECTED';
  if (customer.complianceStatus === to) return refuse('invalid-state', `the customer is ${to} already`);
  setCompliance(command.customer, customer.complianceStatus, to, command.note, context);
  if (to === 'APPROVED' && customer.status === 'PENDING_VERIFICATION')
    setStatus(command.customer, customer.status, 'ACTIVE', undefined, context);
  return undefined;
};

export const decideAddBankDetails: Decide<AddBankDetails> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  // A caller that is not sure whether it was heard may say it again.
  if (customer.bankDetails.includes(command.bankDetail)) return undefined;
  if (customer.bankDetails.length >= MAX_BANK_DETAILS) {
    return refuse('too-many-bank-details', `a customer has at most ${MAX_BANK_DETAILS} bank details`);
  }
  const { customer: id, bankDetail, currency, country, person } = command;
  context.emit({
    type: 'bank-details-added',
    version: 1,
    data: { customer: id, bankDetail, currency, country, person },
    tags: [tagOf('customer', id)],
  });
  return undefined;
};

export const decideRemoveBankDetails: Decide<RemoveBankDetails> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  if (!customer.bankDetails.includes(command.bankDetail)) {
    return refuse('bank-details-not-found', 'there are no such bank details');
  }
  context.emit({
    type: 'bank-details-removed',
    version: 1,
    data: { customer: command.customer, bankDetail: command.bankDetail },
    tags: [tagOf('customer', command.customer)],
  });
  return undefined;
};

/** Accounts, postings and their history stay: they say nothing of the person once his key is gone. */
export const decideEraseCustomer: Decide<EraseCustomer> = (command, context) => {
  const customer = knownCustomer(command.customer, context);
  if (isRefusal(customer)) return customer;
  const { customer: id, legalBasis, reason } = command;
  context.emit({
    type: 'customer-erased',
    version: 1,
    data: { customer: id, legalBasis, ...(reason === undefined ? {} : { reason }) },
    tags: [tagOf('customer', id)],
  });
  return undefined;
};
