import { accountIdOf } from '../shared/ids.js';
import type { Aggregate, Json } from '../shared/event.js';
import type { AccountKind, FreezeScope, LedgerEvent, Permission } from './events.js';

/** One account of the book: the fold of all events tagged `account:<id>`. Amounts are minor units. */
export interface AccountState {
  readonly status: 'NONE' | 'ACTIVATED' | 'CLOSED';
  readonly number: string;
  /** Empty where it is sealed for the owner. */
  readonly name: string;
  readonly owner: string;
  readonly currency: string;
  readonly kind: AccountKind;
  readonly product: string;
  readonly systemRole: string | undefined;
  readonly permission: Permission;
  /** What staff set last: a customer may restrict further and undo that, but not go beyond this. */
  readonly staffPermission: Permission;
  readonly frozen: FreezeScope | undefined;
  readonly overdraftLimit: bigint;
  /** Floor of the normal balance before overdraft; undefined: no floor. */
  readonly minimumBalance: bigint | undefined;
  readonly maximumBalance: bigint | undefined;
  /** Credit-positive ledger balance: Σ credits − Σ debits. */
  readonly ledger: bigint;
  /** Sum of active holds of type HOLD. */
  readonly held: bigint;
  /** Sum of active holds of type LIEN. */
  readonly liens: bigint;
  /** Lines posted so far. */
  readonly sequence: number;
}

const NONE: AccountState = {
  status: 'NONE',
  number: '',
  name: '',
  owner: '',
  currency: '',
  kind: 'LIABILITY',
  product: '',
  systemRole: undefined,
  permission: 'FULL_ACCESS',
  staffPermission: 'FULL_ACCESS',
  frozen: undefined,
  overdraftLimit: 0n,
  minimumBalance: undefined,
  maximumBalance: undefined,
  ledger: 0n,
  held: 0n,
  liens: 0n,
  sequence: 0,
};

/** Member by member: a spread, twice for every entry of the book, costs several times as much. */
function moved(state: AccountState, ledger: bigint, sequence: number, held: bigint, liens: bigint): AccountState {
  return {
    status: state.status,
    number: state.number,
    name: state.name,
    owner: state.owner,
    currency: state.currency,
    kind: state.kind,
    product: state.product,
    systemRole: state.systemRole,
    permission: state.permission,
    staffPermission: state.staffPermission,
    frozen: state.frozen,
    overdraftLimit: state.overdraftLimit,
    minimumBalance: state.minimumBalance,
    maximumBalance: state.maximumBalance,
    ledger,
    held,
    liens,
    sequence,
  };
}

const optionalMinor = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : BigInt(text));

export const accountAggregate: Aggregate<AccountState, LedgerEvent> = {
  kind: 'account',
  stateVersion: 2,
  initial: () => NONE,
  evolve(state, event, id) {
    switch (event.type) {
      case 'account-opened': {
        const { data } = event;
        return {
          ...NONE,
          status: 'ACTIVATED',
          number: data.number,
          name: data.name ?? '',
          owner: data.owner,
          currency: data.currency,
          kind: data.kind,
          product: data.product,
          systemRole: data.systemRole,
          permission: data.permission,
          staffPermission: data.permission,
          overdraftLimit: BigInt(data.overdraftLimit),
          minimumBalance: optionalMinor(data.minimumBalance),
          maximumBalance: optionalMinor(data.maximumBalance),
        };
      }
      case 'account-closed':
        return { ...state, status: 'CLOSED' };
      case 'account-frozen':
        return { ...state, frozen: event.data.scope };
      case 'account-unfrozen':
        return { ...state, frozen: undefined };
      case 'account-permission-changed':
        return {
          ...state,
          permission: event.data.to,
          staffPermission: event.data.byStaff ? event.data.to : state.staffPermission,
        };
      case 'account-limits-changed':
        return {
          ...state,
          overdraftLimit: BigInt(event.data.overdraftLimit),
          minimumBalance: optionalMinor(event.data.minimumBalance),
          maximumBalance: optionalMinor(event.data.maximumBalance),
        };
      case 'entry-posted': {
        const { lines, capture } = event.data;
        let { ledger, sequence, held, liens } = state;
        for (const line of lines) {
          if (line.account === id) {
            ledger = BigInt(line.balance);
            sequence = line.sequence;
          }
        }
        if (capture !== undefined && capture.account === id) {
          held = BigInt(capture.held);
          liens = BigInt(capture.liens);
        }
        return moved(state, ledger, sequence, held, liens);
      }
      case 'hold-placed':
      case 'hold-released':
        return { ...state, held: BigInt(event.data.held), liens: BigInt(event.data.liens) };
    }
  },
  toJson: (state) => ({
    status: state.status,
    number: state.number,
    name: state.name,
    owner: state.owner,
    currency: state.currency,
    kind: state.kind,
    product: state.product,
    systemRole: state.systemRole ?? null,
    permission: state.permission,
    staffPermission: state.staffPermission,
    frozen: state.frozen ?? null,
    overdraftLimit: state.overdraftLimit.toString(),
    minimumBalance: state.minimumBalance?.toString() ?? null,
    maximumBalance: state.maximumBalance?.toString() ?? null,
    ledger: state.ledger.toString(),
    held: state.held.toString(),
    liens: state.liens.toString(),
    sequence: state.sequence,
  }),
  fromJson(json: Json) {
    const stored = json as unknown as StoredAccount;
    return {
      ...stored,
      systemRole: stored.systemRole ?? undefined,
      frozen: stored.frozen ?? undefined,
      overdraftLimit: BigInt(stored.overdraftLimit),
      minimumBalance: optionalMinor(stored.minimumBalance ?? undefined),
      maximumBalance: optionalMinor(stored.maximumBalance ?? undefined),
      ledger: BigInt(stored.ledger),
      held: BigInt(stored.held),
      liens: BigInt(stored.liens),
    };
  },
};

type Amounts = 'overdraftLimit' | 'ledger' | 'held' | 'liens';
type Limits = 'minimumBalance' | 'maximumBalance';
type StoredAccount = Omit<AccountState, Amounts | Limits | 'systemRole' | 'frozen'> &
  Record<Amounts, string> &
  Record<Limits, string | null> & { systemRole: string | null; frozen: FreezeScope | null };

/** The side on which an account of this kind grows. */
export function normalSide(kind: AccountKind): 'debit' | 'credit' {
  return kind === 'ASSET' || kind === 'EXPENSE' ? 'debit' : 'credit';
}

/** The balance in the sense of the account's kind: positive is what one expects of such an account. */
export function normalBalance(account: AccountState, ledger: bigint = account.ledger): bigint {
  return normalSide(account.kind) === 'debit' ? -ledger : ledger;
}

/** The least normal balance, holds and liens included, that an ordinary posting may leave; undefined: none. */
export function floorOf(account: AccountState): bigint | undefined {
  return account.minimumBalance === undefined ? undefined : account.minimumBalance - account.overdraftLimit;
}

/**
 * What may still be spent: normal balance − liens − holds − floor (so with the unused overdraft).
 * Undefined for an account without a floor.
 */
export function spendable(account: AccountState): bigint | undefined {
  const floor = floorOf(account);
  return floor === undefined ? undefined : normalBalance(account) - account.held - account.liens - floor;
}

/** Most account numbers remembered per tenant before the memory starts anew. */
const REMEMBERED_NUMBERS = 200_000;
const remembered = new Map<string, Map<string, string>>();

/** `accountIdOf`, remembered: the hot path asks for the same numbers again and again. */
export function rememberedAccountId(tenantId: string, number: string): string {
  let ids = remembered.get(tenantId);
  if (ids === undefined || ids.size >= REMEMBERED_NUMBERS) {
    ids = new Map();
    remembered.set(tenantId, ids);
  }
  let accountId = ids.get(number);
  if (accountId === undefined) {
    accountId = accountIdOf(tenantId, number);
    ids.set(number, accountId);
  }
  return accountId;
}
