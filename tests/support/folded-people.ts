import type { StoredEvent } from '../../application/ports/event-log.js';
import type {
  AgentView,
  BankDetailView,
  CustomerFilter,
  CustomerView,
  EmployeeView,
  TenantSettingsView,
} from '../../application/ports/read-models.js';
import { type AgentState, agentAggregate } from '../../domain/agent/agent.js';
import { type CustomerState, customerAggregate } from '../../domain/customer/customer.js';
import type { BankDetailsAdded } from '../../domain/customer/events.js';
import { type EmployeeState, employeeAggregate } from '../../domain/employee/employee.js';
import type { Json } from '../../domain/shared/event.js';
import { type PersonalData, sealedPersonOf } from '../../domain/shared/person.js';
import { tenantAggregate } from '../../domain/tenant/tenant.js';
import { searchTermsOf, searchedTermsOf, sortNameOf } from '../../projections/customers/search-terms.js';

interface Folded<State> {
  state: State;
  person: PersonalData | null;
  readonly since: string;
  updatedAt: string;
}

/** Events that say something of how a user gets in, not of the user. */
const ABOUT_ACCESS: readonly string[] = [
  'signed-in',
  'signed-out',
  'secret-set',
  'user-locked',
  'user-unlocked',
  'step-up-decided',
  'device-registered',
  'device-removed',
];
const NO_CHANGE: readonly string[] = [...ABOUT_ACCESS, 'bank-details-added', 'bank-details-removed', 'account-opened'];

const instantOf = (text: string | undefined): string | null =>
  text === undefined ? null : new Date(text).toISOString();
const newestFirst = <T>(items: Iterable<T>): T[] => [...items].reverse();

/** The people, agents and settings of one tenant as a plain fold of its events. */
export class FoldedPeople {
  readonly #customers = new Map<string, Folded<CustomerState>>();
  readonly #employees = new Map<string, Folded<EmployeeState>>();
  readonly #agents = new Map<string, Folded<AgentState>>();
  readonly #bankDetails = new Map<string, BankDetailView & { removed: boolean }>();
  /** Names of accounts that are sealed for their owners, by account. */
  readonly #accountNames = new Map<string, { readonly owner: string; readonly name: string }>();
  #tenant = tenantAggregate.initial('');

  /** `opened` is what the event's `person` says; undefined where nothing is sealed or the person was erased. */
  apply(event: StoredEvent, opened: Json | undefined): void {
    const [tag = ''] = event.tags;
    const id = tag.slice(tag.indexOf(':') + 1);
    if (tag.startsWith('customer:')) fold(this.#customers, customerAggregate, id, event, opened);
    if (tag.startsWith('employee:')) fold(this.#employees, employeeAggregate, id, event, opened);
    if (event.type.startsWith('agent-')) fold(this.#agents, agentAggregate, id, event, undefined);
    if (event.tags.some((one) => one.startsWith('tenant:'))) {
      this.#tenant = tenantAggregate.evolve(this.#tenant, event as never, event.tenantId);
    }
    if (event.type === 'bank-details-added') this.#addBankDetails(event as StoredEvent & BankDetailsAdded, opened);
    if (event.type === 'bank-details-removed') {
      const { bankDetail } = event.data as { bankDetail: string };
      const known = this.#bankDetails.get(bankDetail);
      if (known !== undefined) known.removed = true;
    }
    if (event.type === 'account-opened' && typeof opened === 'string') {
      const { account, owner } = event.data as { account: string; owner: string };
      this.#accountNames.set(account, { owner, name: opened });
    }
    if (event.type === 'customer-erased' || event.type === 'employee-erased') this.#erase(id);
  }

  #addBankDetails(event: StoredEvent & BankDetailsAdded, opened: Json | undefined): void {
    const { bankDetail: bankDetailId, customer: customerId, currency, country } = event.data;
    const details = opened ?? null;
    const addedAt = event.recordedAt;
    this.#bankDetails.set(bankDetailId, {
      bankDetailId,
      customerId,
      currency,
      country,
      details,
      addedAt,
      removed: false,
    });
  }

  #erase(id: string): void {
    for (const people of [this.#customers, this.#employees]) {
      const person = people.get(id);
      if (person !== undefined) person.person = null;
    }
    for (const [bankDetail, view] of this.#bankDetails) {
      if (view.customerId === id) this.#bankDetails.set(bankDetail, { ...view, details: null });
    }
    for (const [account, { owner }] of this.#accountNames) if (owner === id) this.#accountNames.delete(account);
  }

  accountName(account: string): string {
    return this.#accountNames.get(account)?.name ?? '';
  }

  settings(): TenantSettingsView {
    const { preferences, countries } = this.#tenant;
    return { preferences, countries };
  }

  customer(idOrCode: string): CustomerView | undefined {
    const wanted = idOrCode.toLowerCase();
    for (const [id, { state }] of this.#customers) {
      if (id === wanted || state.code.toLowerCase() === wanted) return this.#customerView(id);
    }
    return undefined;
  }

  #customerView(customerId: string): CustomerView | undefined {
    const found = this.#customers.get(customerId);
    if (found === undefined || found.state.status === 'NONE') return undefined;
    const { state, person, since, updatedAt } = found;
    return {
      customerId,
      code: state.code,
      customerType: state.customerType,
      status: state.status as CustomerView['status'],
      complianceStatus: state.complianceStatus,
      country: state.country,
      agentId: state.agent ?? null,
      pictureId: state.picture ?? null,
      person,
      hasLoginPin: state.access.hasLoginPin,
      hasTransactionPin: state.access.hasTransactionPin,
      lockedUntil: instantOf(state.access.lockedUntil),
      registeredAt: since,
      updatedAt,
    };
  }

  /** Newest first. */
  customers(filter: CustomerFilter): CustomerView[] {
    const { status, customerType, fromDate = '', toDate = '9999-12-31', agentIds } = filter;
    return newestFirst(this.#customers.keys())
      .flatMap((id) => this.#customerView(id) ?? [])
      .filter(
        (one) =>
          one.status !== 'ERASED' &&
          (status === undefined || one.status === status) &&
          (customerType === undefined || one.customerType === customerType) &&
          one.registeredAt.slice(0, 10) >= fromDate &&
          one.registeredAt.slice(0, 10) <= toDate &&
          (agentIds === undefined || agentIds.includes(one.agentId ?? '')),
      );
  }

  /** By name. */
  findCustomers(words: readonly string[], filter: Pick<CustomerFilter, 'agentIds'>): CustomerView[] {
    const wanted = searchedTermsOf(words);
    if (wanted.length === 0) return [];
    const key = ({ person, customerId }: CustomerView): string =>
      `${person === null ? '' : sortNameOf(person)}\u0000${customerId}`;
    return this.customers(filter)
      .filter(({ person }) => {
        const terms = person === null ? [] : searchTermsOf(person);
        return wanted.every((word) => terms.some((term) => term.startsWith(word)));
      })
      .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  bankDetailsOf(customerId: string): BankDetailView[] {
    return [...this.#bankDetails.keys()].flatMap((id) => {
      const view = this.bankDetail(id);
      return view?.customerId === customerId ? [view] : [];
    });
  }

  bankDetail(bankDetailId: string): BankDetailView | undefined {
    const found = this.#bankDetails.get(bankDetailId);
    if (found === undefined || found.removed) return undefined;
    const { removed: _, ...view } = found;
    return view;
  }

  employee(employeeId: string): EmployeeView | undefined {
    const found = this.#employees.get(employeeId);
    if (found === undefined || found.state.status === 'NONE') return undefined;
    const { state, person, since, updatedAt } = found;
    return {
      employeeId,
      roles: state.roles,
      status: state.status as EmployeeView['status'],
      agentId: state.agent ?? null,
      branchId: state.branch ?? null,
      pictureId: state.picture ?? null,
      person,
      hasLoginPin: state.access.hasLoginPin,
      hasTransactionPin: state.access.hasTransactionPin,
      lockedUntil: instantOf(state.access.lockedUntil),
      createdAt: since,
      updatedAt,
    };
  }

  /** Newest first, the erased ones too. */
  employees(): EmployeeView[] {
    return newestFirst(this.#employees.keys()).flatMap((id) => this.employee(id) ?? []);
  }

  agent(agentId: string): AgentView | undefined {
    const found = this.#agents.get(agentId);
    if (found === undefined || found.state.status === 'NONE') return undefined;
    const { slug, parent, status, settings } = found.state;
    return {
      agentId,
      slug,
      parentAgentId: parent ?? null,
      name: settings.name,
      domains: settings.domains,
      branding: settings.branding,
      emailTemplates: settings.emailTemplates,
      smsSenderId: settings.smsSenderId ?? null,
      status: status as AgentView['status'],
      createdAt: found.since,
    };
  }

  /** By slug. */
  agents(): AgentView[] {
    return [...this.#agents.keys()].flatMap((id) => this.agent(id) ?? []).sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }
}

function fold<State>(
  people: Map<string, Folded<State>>,
  aggregate: { initial(id: string): State; evolve(state: State, event: never, id: string): State },
  id: string,
  event: StoredEvent,
  opened: Json | undefined,
): void {
  const { recordedAt } = event;
  const before = people.get(id) ?? {
    state: aggregate.initial(id),
    person: null,
    since: recordedAt,
    updatedAt: recordedAt,
  };
  const isProfile = event.type !== 'bank-details-added' && sealedPersonOf(event.data) !== undefined;
  people.set(id, {
    ...before,
    state: aggregate.evolve(before.state, event as never, id),
    person: isProfile ? ((opened as PersonalData | undefined) ?? null) : before.person,
    updatedAt: NO_CHANGE.includes(event.type) ? before.updatedAt : recordedAt,
  });
}
