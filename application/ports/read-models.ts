import type { AccountKind, FreezeScope, HoldType, Permission } from '../../domain/ledger/events.js';

/**
 * What can be asked about, as the HTTP edge and the command line see it. Every method is scoped to one tenant (row-
 * level security under it), every list is bounded. Amounts are minor units (bigint), credit-positive like the log.
 */
export interface Page {
  /** From 1. */
  readonly page: number;
  readonly size: number;
}
export interface Paged<T> {
  readonly items: readonly T[];
  readonly totalElements: number;
}

export interface AccountView {
  readonly accountId: string;
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  readonly currency: string;
  readonly kind: AccountKind;
  readonly product: string;
  readonly systemRole: string | null;
  readonly status: 'ACTIVATED' | 'CLOSED';
  readonly permission: Permission;
  readonly frozen: FreezeScope | null;
  readonly ledger: bigint;
  readonly held: bigint;
  readonly liens: bigint;
  readonly overdraftLimit: bigint;
  readonly minimumBalance: bigint | null;
  readonly maximumBalance: bigint | null;
  /** Lines posted so far. */
  readonly sequence: number;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

/** One line of an entry with what the ledger entry of spec §2.8 shows. */
export interface EntryLineView {
  /** `lineIdOf(entryId, index)` */
  readonly lineId: string;
  readonly entryId: string;
  readonly revision: number;
  readonly lineIndex: number;
  readonly accountId: string;
  readonly currency: string;
  readonly side: 'debit' | 'credit';
  readonly amount: bigint;
  readonly balanceBefore: bigint;
  readonly balanceAfter: bigint;
  readonly sequence: number;
  readonly valueDate: string;
  readonly recordedAt: string;
  readonly kind: string;
  readonly narration: string | null;
  readonly reference: string | null;
  readonly instructionKey: string | null;
  readonly correlationId: string;
  readonly actor: string;
  readonly reverses: string | null;
  /** The entry that reversed this one, if any. */
  readonly reversedBy: string | null;
}

export interface EntryFilter {
  readonly fromDate?: string;
  readonly toDate?: string;
  readonly side?: 'debit' | 'credit';
}

export interface HoldView {
  readonly holdId: string;
  readonly accountId: string;
  readonly currency: string;
  readonly type: HoldType;
  readonly status: 'ACTIVE' | 'CAPTURED' | 'RELEASED' | 'EXPIRED';
  readonly reason: string;
  readonly groupId: string | null;
  readonly placed: bigint;
  readonly captured: bigint;
  readonly released: bigint;
  readonly placedAt: string;
  readonly expiresAt: string | null;
}

export interface TrialBalanceRow {
  readonly accountId: string;
  readonly number: string;
  readonly name: string;
  readonly kind: AccountKind;
  readonly currency: string;
  /** Totals of all debits and of all credits up to the date, and the balance (credits − debits). */
  readonly debits: bigint;
  readonly credits: bigint;
  readonly balance: bigint;
}

export interface BalanceAt {
  readonly ledger: bigint;
  /** Lines that make the balance, newest first, at most `limit`; `lineCount` says how many there are in all. */
  readonly lines: readonly EntryLineView[];
  readonly lineCount: number;
}

export interface StatementView {
  readonly account: AccountView;
  readonly fromDate: string;
  readonly toDate: string;
  readonly openingBalance: bigint;
  readonly closingBalance: bigint;
  readonly totalDebits: bigint;
  readonly totalCredits: bigint;
  /** Oldest first by value date, then by recording. */
  readonly lines: readonly EntryLineView[];
  /** True when there were more lines than `limit`. */
  readonly truncated: boolean;
}

export interface TenantView {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly domains: readonly string[];
  readonly baseCurrency: string;
  readonly currencies: readonly string[];
  readonly branding: Readonly<Record<string, string>>;
  readonly emailTemplates: Readonly<Record<string, string>>;
  readonly smsSenderId: string | null;
  readonly status: 'ACTIVE' | 'SUSPENDED';
  readonly createdAt: string;
}

/** An event as the audit endpoints show it. */
export interface AuditEventView {
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly recordedAt: string;
  readonly effectiveAt: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly tags: readonly string[];
  readonly data: unknown;
  readonly previousHash: string;
  readonly hash: string;
}

export interface ReadModels {
  account(tenantId: string, accountId: string): Promise<AccountView | undefined>;
  accountByNumber(tenantId: string, number: string): Promise<AccountView | undefined>;
  /** Accounts of an owner, oldest first, at most 1,000. */
  accountsOfOwner(tenantId: string, owner: string): Promise<readonly AccountView[]>;
  accounts(tenantId: string, filter: { product?: string; currency?: string }, page: Page): Promise<Paged<AccountView>>;
  /** Newest first. */
  entriesOfAccount(tenantId: string, accountId: string, filter: EntryFilter, page: Page): Promise<Paged<EntryLineView>>;
  /** All lines of all entries with this correlation id, oldest first, at most 1,000 entries. */
  entriesByCorrelation(tenantId: string, correlationId: string): Promise<readonly EntryLineView[]>;
  /** All lines of the entries that answered one of these keys (digests), oldest first. */
  entriesByKeys(tenantId: string, keyIds: readonly string[]): Promise<readonly EntryLineView[]>;
  entry(tenantId: string, entryId: string): Promise<readonly EntryLineView[]>;
  hold(tenantId: string, holdId: string): Promise<HoldView | undefined>;
  holds(
    tenantId: string,
    filter: { accountId?: string; status?: HoldView['status']; groupId?: string },
    page: Page,
  ): Promise<Paged<HoldView>>;
  holdsOfGroup(tenantId: string, groupId: string): Promise<readonly HoldView[]>;
  /** Per account, by value date up to `asOf` (inclusive; default: everything recorded). */
  trialBalance(tenantId: string, filter: { asOf?: string; currency?: string }): Promise<readonly TrialBalanceRow[]>;
  /** "Why is this balance X": as recorded up to `recordedAt` (instant) and effective up to `valueDate`; default now. */
  balanceAt(
    tenantId: string,
    accountId: string,
    at: { recordedAt?: string; valueDate?: string },
    limit: number,
  ): Promise<BalanceAt>;
  statement(
    tenantId: string,
    accountId: string,
    range: { fromDate: string; toDate: string },
    limit: number,
  ): Promise<StatementView | undefined>;
  /** Not scoped to a tenant: for the operator and for host-name resolution. */
  tenant(tenantId: string): Promise<TenantView | undefined>;
  tenantByDomain(domain: string): Promise<TenantView | undefined>;
  tenants(page: Page): Promise<Paged<TenantView>>;
  /** Newest first; `from`/`to` are instants. */
  auditEvents(
    tenantId: string,
    filter: { from?: string; to?: string; type?: string; actor?: string },
    page: Page,
  ): Promise<Paged<AuditEventView>>;
  /** Oldest first. `tag` is `<kind>:<id>`. */
  auditEventsByTag(tenantId: string, tag: string, page: Page): Promise<Paged<AuditEventView>>;
  /** Waits (bounded) until every projection that answers queries has seen `position`; false when it did not in time. */
  waitFor(position: string, timeoutMs: number): Promise<boolean>;
}
