import { z } from 'zod';
import { SubjectErased } from '../../application/ports/key-vault.js';
import type { AccountView } from '../../application/ports/read-models.js';
import { ACCOUNT_KINDS, type AccountOpened, FREEZE_SCOPES, PERMISSIONS } from '../../domain/ledger/events.js';
import type { SealedPerson } from '../../domain/shared/person.js';
import { refuse } from '../../domain/shared/refusal.js';
import { type AmountSign, Findings, type WireAmount, amountIn } from '../amounts.js';
import { type Accepted, acceptedOr, askedAboutPerson, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { RequestFailed, refusalFailure, unavailable } from '../problem.js';
import { renamed } from '../request-body.js';
import { amount, currencyCode, newAccountNumber, reason, uuid } from '../schemas.js';
import { ACCOUNT_EXAMPLE, type AccountChange, accountOut, accountShape } from './account-shape.js';
import { EXAMPLE } from './examples.js';

const params = z.object({ accountId: uuid });
export const limitSpellings = (body: unknown) => renamed(body, { overdraftLimit: 'overDraftLimit' });

/** Minor units where given; null takes a limit away. */
export function limitIn(
  value: WireAmount | null | undefined,
  currency: string,
  field: string,
  findings: Findings,
  sign: AmountSign = 'any',
): bigint | null | undefined {
  return value === undefined || value === null ? value : amountIn(value, currency, field, findings, sign);
}

/**
 * The account after a command, from the read model once it shows the commit. What the command changed is laid over it,
 * so that a read model that is late cannot contradict the answer.
 */
export async function changedAccount(
  call: Call,
  accountId: string,
  done: Accepted,
  change: AccountChange,
  message: string,
): Promise<Answer> {
  const { readModels, config } = call.services;
  await readModels.waitFor(done.position, config.positionWaitMs);
  const account = await readModels.account(call.caller.tenantId, accountId);
  // It exists, the command found it: the read model must be far behind. The change is made; a retry is harmless.
  if (account === undefined) throw new RequestFailed(unavailable('The account was changed but cannot be shown yet'));
  const { position, replayed } = done;
  return { kind: 'answer', message, data: accountOut({ ...account, ...change }), position, replayed };
}

/** `name`: as the request gave it; the event has it sealed. */
function openedAccount(done: Accepted, name: string): AccountView {
  const event = done.events.find(({ type }) => type === 'account-opened');
  if (event === undefined) throw new Error('an opened account has its event');
  const data = event.data as AccountOpened['data'];
  return {
    accountId: data.account,
    number: data.number,
    name,
    owner: data.owner,
    currency: data.currency,
    kind: data.kind,
    product: data.product,
    systemRole: data.systemRole ?? null,
    status: 'ACTIVATED',
    permission: data.permission,
    frozen: null,
    ledger: 0n,
    held: 0n,
    liens: 0n,
    overdraftLimit: BigInt(data.overdraftLimit),
    minimumBalance: data.minimumBalance === undefined ? null : BigInt(data.minimumBalance),
    maximumBalance: data.maximumBalance === undefined ? null : BigInt(data.maximumBalance),
    sequence: 0,
    openedAt: event.recordedAt,
    closedAt: null,
  };
}

/** The name of an account says who its owner is: it is sealed for him, and gone when he is erased. */
async function sealedName(call: Call, owner: string, name: string): Promise<SealedPerson> {
  const { tenantId } = call.caller;
  try {
    return await call.services.identity.vault.seal(tenantId, owner, name);
  } catch (error) {
    if (!(error instanceof SubjectErased)) throw error;
    const refusal = refuse('customer-not-found', 'there is no such customer', { field: 'ownerId' });
    throw new RequestFailed(refusalFailure(refusal));
  }
}

export const openAccount = defineEndpoint({
  id: 'open-account',
  group: 'ledger',
  title: 'Open account',
  method: 'POST',
  path: '/api/v6/services/account-maintenance/open-account',
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  body: z.strictObject({
    ownerId: uuid,
    currencyCode,
    productCode: z.string().min(1).max(64).meta({ example: 'WALLET' }),
    accountName: z.string().min(1).max(512),
    kind: z.enum(ACCOUNT_KINDS).optional().meta({ description: "Default: the product's" }),
    accountNumber: newAccountNumber.optional().meta({ description: 'Default: the next number of the tenant' }),
    permission: z.enum(PERMISSIONS).optional(),
    overDraftLimit: amount.optional(),
    minimumBalance: amount.optional(),
    maximumBalance: amount.optional(),
  }),
  unknownMembers: 'refuse',
  normalise: limitSpellings,
  requestExamples: {
    wallet: { body: { ownerId: EXAMPLE.ownerId, currencyCode: 'NGN', productCode: 'WALLET', accountName: 'Ada Obi' } },
  },
  success: {
    status: 201,
    description: 'The account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, accountBalance: 0, availableBalance: 0, totalLienAmount: 0, spendableBalance: 0 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { body } = call;
    const findings = new Findings();
    const limit = (name: 'overDraftLimit' | 'minimumBalance' | 'maximumBalance', sign: AmountSign) =>
      limitIn(body[name], body.currencyCode, name, findings, sign) ?? undefined;
    const overdraftLimit = limit('overDraftLimit', 'not-negative');
    const minimumBalance = limit('minimumBalance', 'any');
    const maximumBalance = limit('maximumBalance', 'any');
    findings.throwIfAny();
    const payload = {
      owner: body.ownerId,
      currency: body.currencyCode,
      product: body.productCode,
      person: await sealedName(call, body.ownerId, body.accountName),
      ...(body.kind === undefined ? {} : { kind: body.kind }),
      ...(body.accountNumber === undefined ? {} : { number: body.accountNumber }),
      ...(body.permission === undefined ? {} : { permission: body.permission }),
      ...(overdraftLimit === undefined ? {} : { overdraftLimit }),
      ...(minimumBalance === undefined ? {} : { minimumBalance }),
      ...(maximumBalance === undefined ? {} : { maximumBalance }),
    };
    const outcome = await call.services.bus.execute({ ...askedAboutPerson(call), name: 'open-account', payload });
    const done = acceptedOr(outcome, call);
    if (isFailure(done)) return done;
    const { position, replayed } = done;
    return {
      kind: 'answer',
      message: 'Account opened',
      data: accountOut(openedAccount(done, body.accountName)),
      position,
      replayed,
    };
  },
});

export const freezeAccount = defineEndpoint({
  id: 'freeze-account',
  group: 'ledger',
  title: 'Freeze account',
  description: 'Blocks debits, or all postings. Apart from liens, which block amounts.',
  method: 'PUT',
  path: '/api/v6/services/account-maintenance/freeze-account/{accountId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params,
  body: z.strictObject({ scope: z.enum(FREEZE_SCOPES), reason }),
  unknownMembers: 'refuse',
  requestExamples: {
    debits: { params: { accountId: EXAMPLE.spareId }, body: { scope: 'DEBIT', reason: 'Court order 17/2026' } },
  },
  success: {
    status: 200,
    description: 'The account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, frozen: 'DEBIT' },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { accountId } = call.params;
    const { scope, reason: why } = call.body;
    const done = await execute(call, 'freeze-account', { account: accountId, scope, reason: why });
    return isFailure(done) ? done : changedAccount(call, accountId, done, { frozen: scope }, 'Account frozen');
  },
});

const why = z.strictObject({ reason: reason.optional() });

export const unfreezeAccount = defineEndpoint({
  id: 'unfreeze-account',
  group: 'ledger',
  title: 'Unfreeze account',
  method: 'PUT',
  path: '/api/v6/services/account-maintenance/unfreeze-account/{accountId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params,
  body: why,
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { accountId: EXAMPLE.spareId }, body: { reason: 'Order lifted' } } },
  success: { status: 200, description: 'The account', data: accountShape, example: ACCOUNT_EXAMPLE },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { accountId } = call.params;
    const done = await execute(call, 'unfreeze-account', { account: accountId, ...reasonOf(call.body) });
    return isFailure(done) ? done : changedAccount(call, accountId, done, { frozen: null }, 'Account unfrozen');
  },
});

export const closeAccount = defineEndpoint({
  id: 'close-account',
  group: 'ledger',
  title: 'Close account',
  description: 'Only at a zero balance and with no holds or liens.',
  method: 'PUT',
  path: '/api/v6/services/account-maintenance/close-account/{accountId}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  params,
  body: why,
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: {
    one: { params: { accountId: EXAMPLE.spareId }, body: { reason: 'At the request of the customer' } },
  },
  success: {
    status: 200,
    description: 'The account',
    data: accountShape,
    example: { ...ACCOUNT_EXAMPLE, accountStatus: 'CLOSED', closedAt: EXAMPLE.at },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { accountId } = call.params;
    const done = await execute(call, 'close-account', { account: accountId, ...reasonOf(call.body) });
    return isFailure(done) ? done : changedAccount(call, accountId, done, { status: 'CLOSED' }, 'Account closed');
  },
});

function reasonOf(body: z.output<typeof why>): { reason?: string } {
  return body.reason === undefined ? {} : { reason: body.reason };
}
