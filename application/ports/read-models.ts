import type { AgentStatus } from '../../domain/agent/events.js';
import type { ComplianceStatus, CustomerStatus, CustomerType } from '../../domain/customer/events.js';
import type { EmployeeStatus } from '../../domain/employee/events.js';
import type { AccountKind, FreezeScope, HoldType, Permission } from '../../domain/ledger/events.js';
import type { Role } from '../../domain/shared/decider.js';
import type { Json } from '../../domain/shared/event.js';
import type { PersonalData } from '../../domain/shared/person.js';
import type { CountryServing } from '../../domain/tenant/events.js';
import type { PreferenceSetting } from '../../domain/tenant/preferences.js';
import type { LendingReadModels } from './lending-read-models.js';

/** The views of lending: in a file of their own because there are so many. */
export type * from './lending-read-models.js';

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

export interface CustomerView {
  readonly customerId: string;
  readonly code: string;
  readonly customerType: CustomerType;
  readonly status: CustomerStatus;
  readonly complianceStatus: ComplianceStatus;
  readonly country: string;
  readonly agentId: string | null;
  readonly pictureId: string | null;
  /** Null: the person was erased. */
  readonly person: PersonalData | null;
  readonly hasLoginPin: boolean;
  readonly hasTransactionPin: boolean;
  readonly lockedUntil: string | null;
  readonly registeredAt: string;
  readonly updatedAt: string;
}

export interface CustomerFilter {
  readonly status?: CustomerStatus;
  readonly customerType?: CustomerType;
  /** Date of registration, YYYY-MM-DD, inclusive. */
  readonly fromDate?: string;
  readonly toDate?: string;
  /** Only customers of these agents. */
  readonly agentIds?: readonly string[];
}

export interface BankDetailView {
  readonly bankDetailId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly country: string;
  /** What was sealed: key-value pairs as the client sent them. Null: the person was erased. */
  readonly details: Json;
  readonly addedAt: string;
}

export interface EmployeeView {
  readonly employeeId: string;
  readonly roles: readonly Role[];
  readonly status: EmployeeStatus;
  readonly agentId: string | null;
  readonly branchId: string | null;
  readonly pictureId: string | null;
  /** Null: the person was erased. */
  readonly person: PersonalData | null;
  readonly hasLoginPin: boolean;
  readonly hasTransactionPin: boolean;
  readonly lockedUntil: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface AgentView {
  readonly agentId: string;
  readonly slug: string;
  readonly parentAgentId: string | null;
  readonly name: string;
  readonly domains: readonly string[];
  readonly branding: Readonly<Record<string, string>>;
  readonly emailTemplates: Readonly<Record<string, string>>;
  readonly smsSenderId: string | null;
  readonly status: AgentStatus;
  readonly createdAt: string;
}

export interface TenantSettingsView {
  readonly preferences: readonly PreferenceSetting[];
  /** Countries that were set by hand, by ISO 3166-1 alpha-3. */
  readonly countries: Readonly<Record<string, CountryServing>>;
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

export interface ReadModels extends LendingReadModels {
  account(tenantId: string, accountId: string): Promise<AccountView | undefined>;
  accountByNumber(tenantId: string, number: string): Promise<AccountView | undefined>;
  /** Accounts of an owner, oldest first, at most 1,000. */
  accountsOfOwner(tenantId: string, owner: string): Promise<readonly AccountView[]>;
  /** `agentIds`: only accounts whose owner is a customer of one of these agents. */
  accounts(
    tenantId: string,
    filter: { product?: string; currency?: string; agentIds?: readonly string[] },
    page: Page,
  ): Promise<Paged<AccountView>>;
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
  /** Whose a host name is: a tenant's own, or an agent's. */
  domainOwner(domain: string): Promise<{ readonly tenantId: string; readonly agentId: string | null } | undefined>;
  tenants(page: Page): Promise<Paged<TenantView>>;
  /** Empty for a tenant that has set nothing. */
  tenantSettings(tenantId: string): Promise<TenantSettingsView>;
  /** By id (UUID) or by code, case-insensitive. */
  customer(tenantId: string, idOrCode: string): Promise<CustomerView | undefined>;
  /** Newest first. Erased people are not listed. */
  customers(tenantId: string, filter: CustomerFilter, page: Page): Promise<Paged<CustomerView>>;
  /**
   * Customers all of whose `words` begin a word of the name or are part of the phone number or begin the e-mail address,
   * by name; compared without case and accents.
   */
  findCustomers(
    tenantId: string,
    words: readonly string[],
    filter: Pick<CustomerFilter, 'agentIds'>,
    page: Page,
  ): Promise<Paged<CustomerView>>;
  /** Oldest first, without the removed ones. */
  bankDetailsOf(tenantId: string, customerId: string): Promise<readonly BankDetailView[]>;
  bankDetail(tenantId: string, bankDetailId: string): Promise<BankDetailView | undefined>;
  employee(tenantId: string, employeeId: string): Promise<EmployeeView | undefined>;
  /** Newest first, without the erased ones. */
  employees(
    tenantId: string,
    filter: { readonly role?: Role; readonly status?: EmployeeStatus },
    page: Page,
  ): Promise<Paged<EmployeeView>>;
  agent(tenantId: string, agentId: string): Promise<AgentView | undefined>;
  /** By slug; `under`: this agent and its sub-agents only. */
  agents(
    tenantId: string,
    filter: { readonly under?: string; readonly status?: AgentStatus },
    page: Page,
  ): Promise<Paged<AgentView>>;
  /** The agent itself and its sub-agents: whose customers he may see. At most 1,000. */
  agentIdsUnder(tenantId: string, agentId: string): Promise<readonly string[]>;
  /** Newest first; `from`/`to` are instants; `privileged`: only acts of staff (domain/privileged.ts), of any type. */
  auditEvents(
    tenantId: string,
    filter: { from?: string; to?: string; type?: string; actor?: string; privileged?: boolean },
    page: Page,
  ): Promise<Paged<AuditEventView>>;
  /** Oldest first. `tag` is `<kind>:<id>`. */
  auditEventsByTag(tenantId: string, tag: string, page: Page): Promise<Paged<AuditEventView>>;
  /** Waits (bounded) until every projection that answers queries has seen `position`; false when it did not in time. */
  waitFor(position: string, timeoutMs: number): Promise<boolean>;
}
