import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row } from '../../application/ports/read-store.js';
import type { SecretSet, UserLocked, UserUnlocked } from '../../domain/access/user-events.js';
import type { CustomerEvent, CustomerRegistered } from '../../domain/customer/events.js';
import type { PersonalData } from '../../domain/shared/person.js';
import { Changes } from '../changes.js';
import { type Loaded, type Projection, textOf } from '../projection.js';
import { accessChange, personText } from '../people.js';
import { searchTermsOf, sortNameOf } from './search-terms.js';
import { CUSTOMERS, CUSTOMER_BANK_DETAILS, CUSTOMER_TERMS } from './tables.js';

type Event = ScannedEvent & (CustomerEvent | SecretSet | UserLocked | UserUnlocked);

export function customersProjection(): Projection {
  return {
    name: 'customers',
    version: 1,
    tables: [CUSTOMERS, CUSTOMER_TERMS, CUSTOMER_BANK_DETAILS],
    handles: [
      'customer-registered',
      'customer-profile-changed',
      'customer-picture-set',
      'customer-status-set',
      'customer-compliance-set',
      'bank-details-added',
      'bank-details-removed',
      'customer-erased',
      'secret-set',
      'user-locked',
      'user-unlocked',
    ],
    answersQueries: true,
    opensPersons: true,
    needs: (events) => [{ table: CUSTOMERS, keys: (events as readonly Event[]).flatMap(neededKeys) }],
    project(events, loaded) {
      const customers = new Customers(loaded);
      for (const event of events) customers.apply(event as Event);
      return customers.changes;
    },
  };
}

/** The customer's row, where the event changes his terms or bank details: how many there are stands in it. */
function neededKeys(event: Event): Row[] {
  switch (event.type) {
    case 'customer-profile-changed':
    case 'bank-details-added':
    case 'bank-details-removed':
    case 'customer-erased':
      return [{ tenant_id: event.tenantId, customer_id: event.data.customer }];
    default:
      return [];
  }
}

/** Which rows of other tables belong to a customer. */
interface Belongings {
  terms: number;
  bankDetails: readonly string[];
}

/** The customers that a batch touches. */
class Customers {
  readonly changes = new Changes();
  readonly #belongings = new Map<string, Belongings>();

  constructor(private readonly loaded: Loaded) {}

  apply(event: Event): void {
    const { tenantId: tenant_id, recordedAt: updated_at } = event;
    switch (event.type) {
      case 'customer-registered':
        this.#register(event);
        return;
      case 'customer-profile-changed': {
        const { customer: customer_id, country } = event.data;
        const person = event.opened as PersonalData | undefined;
        const term_slots = this.#setTerms({ tenant_id, customer_id }, person);
        this.changes.patch(CUSTOMERS, {
          ...{ tenant_id, customer_id, country, updated_at, term_slots },
          ...{ person: personText(person), sort_name: person === undefined ? null : sortNameOf(person) },
        });
        return;
      }
      case 'customer-picture-set': {
        const { customer: customer_id, file: picture_id } = event.data;
        this.changes.patch(CUSTOMERS, { tenant_id, customer_id, picture_id, updated_at });
        return;
      }
      case 'customer-status-set': {
        const { customer: customer_id, to: status } = event.data;
        this.changes.patch(CUSTOMERS, { tenant_id, customer_id, status, updated_at });
        return;
      }
      case 'customer-compliance-set': {
        const { customer: customer_id, to: compliance_status } = event.data;
        this.changes.patch(CUSTOMERS, { tenant_id, customer_id, compliance_status, updated_at });
        return;
      }
      case 'bank-details-added':
      case 'bank-details-removed':
        this.#bankDetails(event);
        return;
      case 'customer-erased':
        this.#erase({ tenant_id, customer_id: event.data.customer }, updated_at);
        return;
      case 'secret-set':
      case 'user-locked':
      case 'user-unlocked': {
        const change = accessChange(event);
        if (event.data.user.kind === 'customer' && change !== undefined)
          this.changes.patch(CUSTOMERS, { tenant_id, customer_id: event.data.user.id, ...change });
      }
    }
  }

  #register(event: ScannedEvent & CustomerRegistered): void {
    const { tenantId: tenant_id, recordedAt, revision, data } = event;
    const person = event.opened as PersonalData | undefined;
    const key = { tenant_id, customer_id: data.customer };
    this.#belongings.set(nameOf(key), { terms: 0, bankDetails: [] });
    this.changes.insert(CUSTOMERS, {
      ...key,
      code: data.code,
      customer_type: data.customerType,
      status: 'PENDING_VERIFICATION',
      compliance_status: 'INCOMPLETE',
      country: data.country,
      agent_id: data.agent ?? null,
      picture_id: null,
      person: personText(person),
      sort_name: person === undefined ? null : sortNameOf(person),
      has_login_pin: false,
      has_transaction_pin: false,
      locked_until: null,
      registered_revision: revision,
      registered_at: recordedAt,
      updated_at: recordedAt,
      term_slots: this.#setTerms(key, person),
      bank_detail_ids: '',
    });
  }

  #bankDetails(event: Extract<Event, { type: 'bank-details-added' | 'bank-details-removed' }>): void {
    const { tenantId: tenant_id, recordedAt, data } = event;
    const { bankDetail: bank_detail_id, customer: customer_id } = data;
    const belongings = this.#of({ tenant_id, customer_id });
    const others = belongings.bankDetails.filter((id) => id !== bank_detail_id);
    if (event.type === 'bank-details-added') {
      const { currency, country } = event.data;
      // Removed ones keep their row, and may come again.
      this.changes.put(CUSTOMER_BANK_DETAILS, {
        ...{ tenant_id, bank_detail_id, customer_id, currency, country, details: personText(event.opened) },
        ...{ added_revision: event.revision, added_at: recordedAt, removed_at: null },
      });
      belongings.bankDetails = [...others, bank_detail_id];
    } else {
      const removed = { details: null, removed_at: recordedAt };
      this.changes.patch(CUSTOMER_BANK_DETAILS, { tenant_id, bank_detail_id, ...removed });
      belongings.bankDetails = others;
    }
    const bank_detail_ids = belongings.bankDetails.join(' ');
    this.changes.patch(CUSTOMERS, { tenant_id, customer_id, bank_detail_ids });
  }

  /** Nothing personal is left: the rows stay, because they say what happened and to which customer. */
  #erase(key: { tenant_id: string; customer_id: string }, updated_at: string): void {
    const term_slots = this.#setTerms(key, undefined);
    for (const bank_detail_id of this.#of(key).bankDetails) {
      this.changes.patch(CUSTOMER_BANK_DETAILS, { tenant_id: key.tenant_id, bank_detail_id, details: null });
    }
    this.changes.patch(CUSTOMERS, {
      ...key,
      ...{ status: 'ERASED', picture_id: null, person: null, sort_name: null, locked_until: null, updated_at },
      ...{ has_login_pin: false, has_transaction_pin: false, term_slots },
    });
  }

  /** Answers how many slots there are now. */
  #setTerms(key: { tenant_id: string; customer_id: string }, person: PersonalData | undefined): number {
    const terms = person === undefined ? [] : searchTermsOf(person);
    const belongings = this.#of(key);
    belongings.terms = Math.max(belongings.terms, terms.length);
    for (let slot = 0; slot < belongings.terms; slot += 1) {
      this.changes.put(CUSTOMER_TERMS, { ...key, slot, term: terms[slot] ?? null });
    }
    return belongings.terms;
  }

  #of(key: { tenant_id: string; customer_id: string }): Belongings {
    const known = this.#belongings.get(nameOf(key));
    if (known !== undefined) return known;
    const row = this.loaded.get(CUSTOMERS, key);
    if (row === undefined) throw new Error(`customer ${key.customer_id}, who was not registered`);
    const ids = textOf(row['bank_detail_ids']);
    const belongings = { terms: row['term_slots'] as number, bankDetails: ids === '' ? [] : ids.split(' ') };
    this.#belongings.set(nameOf(key), belongings);
    return belongings;
  }
}

const nameOf = (key: { tenant_id: string; customer_id: string }): string => `${key.tenant_id} ${key.customer_id}`;
