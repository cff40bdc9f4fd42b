import type { ReadModels } from '../application/ports/read-models.js';
import type { TenantQueries } from '../application/ports/queries.js';
import * as accounts from './accounts/queries.js';
import * as agents from './agents/queries.js';
import * as customers from './customers/queries.js';
import * as employees from './employees/queries.js';
import * as balances from './entries/balance-queries.js';
import * as entries from './entries/queries.js';
import * as history from './history/queries.js';
import * as holds from './holds/queries.js';
import { createLendingReadModels } from './lending-read-models.js';
import * as tenants from './tenants/queries.js';

/** Who knows how far the read models are: the runner of this process, or `PollingPositions` where there is none. */
export interface Positions {
  waitFor(position: string, timeoutMs: number): Promise<boolean>;
}

/** All that can be asked, each question answered by the projection it belongs to. */
export function createReadModels(db: TenantQueries, positions: Positions): ReadModels {
  return {
    ...createLendingReadModels(db),
    account: (tenantId, accountId) => accounts.accountById(db, tenantId, accountId),
    accountByNumber: (tenantId, number) => accounts.accountByNumber(db, tenantId, number),
    accountsOfOwner: (tenantId, owner) => accounts.accountsOfOwner(db, tenantId, owner),
    accounts: (tenantId, filter, page) => accounts.accounts(db, tenantId, filter, page),
    entriesOfAccount: (tenantId, accountId, filter, page) =>
      entries.entriesOfAccount(db, tenantId, accountId, filter, page),
    entriesByCorrelation: (tenantId, correlationId) => entries.entriesByCorrelation(db, tenantId, correlationId),
    entriesByKeys: (tenantId, keyIds) => entries.entriesByKeys(db, tenantId, keyIds),
    entry: (tenantId, entryId) => entries.entry(db, tenantId, entryId),
    hold: (tenantId, holdId) => holds.hold(db, tenantId, holdId),
    holds: (tenantId, filter, page) => holds.holds(db, tenantId, filter, page),
    holdsOfGroup: (tenantId, groupId) => holds.holdsOfGroup(db, tenantId, groupId),
    trialBalance: (tenantId, filter) => balances.trialBalance(db, tenantId, filter),
    balanceAt: (tenantId, accountId, at, limit) => balances.balanceAt(db, tenantId, accountId, at, limit),
    async statement(tenantId, accountId, range, limit) {
      const account = await accounts.accountById(db, tenantId, accountId);
      return account === undefined ? undefined : await balances.statement(db, tenantId, account, range, limit);
    },
    tenant: (tenantId) => tenants.tenant(db, tenantId),
    domainOwner: (domain) => tenants.domainOwner(db, domain),
    tenants: (page) => tenants.tenants(db, page),
    tenantSettings: (tenantId) => tenants.tenantSettings(db, tenantId),
    customer: (tenantId, idOrCode) => customers.customer(db, tenantId, idOrCode),
    customers: (tenantId, filter, page) => customers.customers(db, tenantId, filter, page),
    findCustomers: (tenantId, words, filter, page) => customers.findCustomers(db, tenantId, words, filter, page),
    bankDetailsOf: (tenantId, customerId) => customers.bankDetailsOf(db, tenantId, customerId),
    bankDetail: (tenantId, bankDetailId) => customers.bankDetail(db, tenantId, bankDetailId),
    employee: (tenantId, employeeId) => employees.employee(db, tenantId, employeeId),
    employees: (tenantId, filter, page) => employees.employees(db, tenantId, filter, page),
    agent: (tenantId, agentId) => agents.agent(db, tenantId, agentId),
    agents: (tenantId, filter, page) => agents.agents(db, tenantId, filter, page),
    agentIdsUnder: (tenantId, agentId) => agents.agentIdsUnder(db, tenantId, agentId),
    auditEvents: (tenantId, filter, page) => history.auditEvents(db, tenantId, filter, page),
    auditEventsByTag: (tenantId, tag, page) => history.auditEventsByTag(db, tenantId, tag, page),
    waitFor: (position, timeoutMs) => positions.waitFor(position, timeoutMs),
  };
}
