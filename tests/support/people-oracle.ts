/** The rules of people, agents and settings, told once more from the events alone, and without the domain's code. */
import type { StoredEvent } from '../../application/ports/event-log.js';
import { NOT_SERVED } from './people-intents.js';

interface Customer {
  status: string;
  compliance: string;
  readonly code: string;
  readonly banks: Set<string>;
}
interface Employee {
  status: string;
  roles: string;
  branch: string | null;
  readonly agent: string | undefined;
}
interface Agent {
  status: string;
  readonly slug: string;
  readonly parent: string | undefined;
}

type Data = Record<string, unknown> & {
  readonly customer: string;
  readonly employee: string;
  readonly agent?: string;
  readonly from: string;
  readonly to: string;
  readonly bankDetail: string;
  readonly roles: { from: string[]; to: string[] } & string[];
  readonly branch?: { from: string | null; to: string | null };
};

const STATUSES = new Map([
  ['PENDING_VERIFICATION', ['ACTIVE', 'INACTIVE']],
  ['ACTIVE', ['INACTIVE']],
  ['INACTIVE', ['ACTIVE']],
]);

/** Who and what one tenant has, according to its events; throws at the first that may not follow those before it. */
export class PeopleOracle {
  readonly customers = new Map<string, Customer>();
  readonly employees = new Map<string, Employee>();
  readonly agents = new Map<string, Agent>();
  readonly #codes = new Set<string>();
  readonly #preferences = new Map<string, string>();
  readonly #countries = new Map<string, string>();
  #suspended = false;

  take(event: StoredEvent): void {
    const must = (condition: boolean, what: string): void => {
      if (!condition) throw new Error(`${what}: ${event.type} ${JSON.stringify(event.data)}`);
    };
    const { type, tags } = event;
    const data = event.data as Data;
    if (type === 'tenant-status-set') this.#suspended = data.to === 'SUSPENDED';
    else if (type.startsWith('command-')) return;
    else must(!this.#suspended, 'a suspended tenant does nothing');
    for (const tag of tags) {
      const [kind = '', id = ''] = tag.split(':');
      const known =
        kind === 'customer' ? this.customers.get(id) : kind === 'employee' ? this.employees.get(id) : undefined;
      must(known?.status !== 'ERASED', 'who was erased stays so');
      const isNew = ['customer-registered', 'employee-created'].includes(type);
      if (kind === 'customer' || kind === 'employee') must((known !== undefined) !== isNew, 'is there, or is new');
    }
    if (type.startsWith('customer-') || type.startsWith('bank-')) this.#customer(type, data, must);
    if (type.startsWith('employee-')) this.#employee(type, data, must);
    if (type.startsWith('agent-')) this.#agent(type, data, must);
    if (type === 'preferences-changed') this.#preference(data, must);
    if (type === 'country-set') {
      const country = String(data['country']);
      must(
        JSON.stringify(data.from) === (this.#countries.get(country) ?? JSON.stringify(NOT_SERVED)),
        'from what it was',
      );
      must(JSON.stringify(data.from) !== JSON.stringify(data.to), 'something changes');
      this.#countries.set(country, JSON.stringify(data.to));
    }
  }

  #customer(type: string, data: Data, must: (condition: boolean, what: string) => void): void {
    if (type === 'customer-registered') {
      const code = String(data['code']);
      must(!this.#codes.has(code), 'a code is one customer’s');
      this.#codes.add(code);
      must(data['codeSequence'] === this.#codes.size, 'codes are counted up');
      if (data.agent !== undefined) must(this.agents.get(data.agent)?.status === 'ACTIVE', 'an agent at work');
      const banks = new Set<string>();
      this.customers.set(data.customer, { status: 'PENDING_VERIFICATION', compliance: 'INCOMPLETE', code, banks });
      return;
    }
    const customer = this.customers.get(data.customer) as Customer;
    if (type === 'customer-status-set') {
      must(customer.status === data.from, 'from what it was');
      must(STATUSES.get(data.from)?.includes(data.to) === true, 'a step that there is');
      customer.status = data.to;
    } else if (type === 'customer-compliance-set') {
      must(customer.compliance === data.from && data.from !== data.to, 'from what it was, to something else');
      must(['APPROVED', 'REJECTED'].includes(data.to) || data.from === 'APPROVED', 'decided, or due again');
      customer.compliance = data.to;
    } else if (type === 'bank-details-added') {
      must(!customer.banks.has(data.bankDetail), 'bank details that are new');
      customer.banks.add(data.bankDetail);
    } else if (type === 'bank-details-removed') {
      must(customer.banks.delete(data.bankDetail), 'bank details that are there');
    } else if (type === 'customer-erased') {
      customer.status = 'ERASED';
      customer.banks.clear();
    }
  }

  #employee(type: string, data: Data, must: (condition: boolean, what: string) => void): void {
    const checkRoles = (roles: readonly string[], agent: string | undefined): void => {
      must(!roles.includes('CUSTOMER'), 'no customer');
      must(agent !== undefined || !roles.includes('AGENT'), 'AGENT with an agent');
      must(agent === undefined || roles.every((role) => role === 'AGENT' || role === 'CASHIER'), 'an agent’s people');
    };
    if (type === 'employee-created') {
      checkRoles(data.roles, data.agent);
      must(data.agent === undefined || this.agents.has(data.agent), 'of an agent that there is');
      const created = { status: 'ACTIVE', roles: String(data.roles), branch: null, agent: data.agent };
      this.employees.set(data.employee, created);
      return;
    }
    const employee = this.employees.get(data.employee) as Employee;
    if (type === 'employee-changed') {
      if ('roles' in data) {
        must(String(data.roles.from) === employee.roles, 'roles from what they were');
        checkRoles(data.roles.to, employee.agent);
        employee.roles = String(data.roles.to);
      }
      if (data.branch !== undefined) {
        must(
          data.branch.from === employee.branch && data.branch.to !== data.branch.from,
          'the branch from what it was',
        );
        employee.branch = data.branch.to;
      }
    } else if (type === 'employee-status-set') {
      must(employee.status === data.from && data.from !== data.to, 'from what it was, to something else');
      employee.status = data.to;
    } else if (type === 'employee-erased') {
      employee.status = 'ERASED';
    }
  }

  #agent(type: string, data: Data, must: (condition: boolean, what: string) => void): void {
    const id = String(data.agent);
    const agent = this.agents.get(id);
    must((agent === undefined) === (type === 'agent-created'), 'is there, or is new');
    if (type === 'agent-created') {
      const slug = String(data['slug']);
      const parent = data['parent'] as string | undefined;
      must(
        [...this.agents.values()].every((other) => other.slug !== slug),
        'a slug is one agent’s',
      );
      const above = parent === undefined ? undefined : this.agents.get(parent);
      must(parent === undefined || above?.status === 'ACTIVE', 'under an agent at work');
      must(above?.parent === undefined, 'two levels');
      this.agents.set(id, { status: 'ACTIVE', slug, parent });
    } else if (agent !== undefined && type === 'agent-status-set') {
      must(agent.status === data.from && data.from !== data.to, 'from what it was, to something else');
      agent.status = data.to;
    }
  }

  #preference(data: Data, must: (condition: boolean, what: string) => void): void {
    const changes = data['changes'] as ReadonlyArray<{ key: string; scope: object; from: unknown; to: unknown }>;
    const before = new Map(this.#preferences);
    for (const { key, scope, from, to } of changes) {
      const at = `${key} ${JSON.stringify(scope)}`;
      must(JSON.stringify(from) === (before.get(at) ?? 'null'), 'from what it was');
      if (to === null) this.#preferences.delete(at);
      else this.#preferences.set(at, JSON.stringify(to));
    }
  }

  get preferences(): ReadonlyMap<string, string> {
    return this.#preferences;
  }
}
