/**
 * Given events, when a command, then events or a refusal: deciders by themselves, without processor, log or clock.
 * Accounts are named by their numbers; entries and holds by any short name.
 */
import type { Test } from 'tap';
import type { CommandName, CommandPayloads } from '../../application/commands.js';
import { COMMANDS } from '../../application/deciders.js';
import { AGGREGATES, type AggregateKind, type StateOf, evolveTag, tagOf } from '../../domain/aggregates.js';
import { checkEvent } from '../../domain/event-types.js';
import type { FreezeScope, HoldType, Permission } from '../../domain/ledger/events.js';
import type { Actor, DecisionContext, EventDraft, KeyAnswer, Role } from '../../domain/shared/decider.js';
import type { DomainEvent, Tag } from '../../domain/shared/event.js';
import { accountIdOf, nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import type { Refusal } from '../../domain/shared/refusal.js';

export const TENANT = tenantIdOf('acme');
export const NOW = '2026-03-15T10:00:00.000Z';
export const OWNER = nameBasedUuid(TENANT, 'owner');
export const CURRENCIES = ['NGN', 'USD', 'JPY', 'KWD'];
export const SETTINGS = {
  name: 'Acme',
  baseCurrency: 'NGN',
  currencies: CURRENCIES,
  domains: [],
  branding: {},
  emailTemplates: {},
};

/** The id of the account with this number, and of anything else that a test names. */
export const account = (number: string): string => accountIdOf(TENANT, number);
export const idOf = (name: string): string => `${nameBasedUuid(TENANT, name).slice(0, 32)}0000`;
export const keyOf = (text: string, requestHash = 'h1') => ({
  text,
  id: nameBasedUuid(TENANT, `key ${text}`),
  requestHash,
});

/** Every refusal code that any scenario met: the tests check that none is left out. */
export const refusalsMet = new Set<string>();

class Book implements DecisionContext {
  readonly tenantId = TENANT;
  now = NOW;
  actor: Actor = { subject: 'tester', roles: ['MANAGER'] };
  readonly emitted: DomainEvent[] = [];
  readonly replayed: KeyAnswer[] = [];
  readonly keys = new Map<string, KeyAnswer>();
  readonly #states = new Map<Tag, unknown>();
  readonly #events = new Map<string, DomainEvent>();
  #ids = 0;

  get today(): string {
    return this.now.slice(0, 10);
  }

  state<K extends AggregateKind>(kind: K, id: string): StateOf<K> {
    return (this.#states.get(tagOf(kind, id)) ?? AGGREGATES[kind].initial(id)) as StateOf<K>;
  }

  event(id: string): DomainEvent | undefined {
    return this.#events.get(id);
  }

  answered(keyId: string): KeyAnswer | undefined {
    return this.keys.get(keyId);
  }

  replay(answer: KeyAnswer): void {
    this.replayed.push(answer);
  }

  newId(): string {
    this.#ids += 1;
    return idOf(`new ${this.#ids}`);
  }

  emit(draft: EventDraft): DomainEvent {
    const { key, ...rest } = draft;
    const event: DomainEvent = { id: this.newId(), ...rest };
    this.take(event);
    this.emitted.push(event);
    if (key !== undefined)
      this.keys.set(key.id, { requestHash: key.requestHash, revision: this.emitted.length, events: 1 });
    return event;
  }

  take(event: DomainEvent): void {
    const problem = checkEvent(event);
    if (problem !== undefined) throw new Error(problem);
    this.#events.set(event.id, event);
    for (const tag of event.tags) {
      const [kind = '', id = ''] = tag.split(':');
      if (!(kind in AGGREGATES)) continue;
      const state = this.#states.get(tag) ?? AGGREGATES[kind as AggregateKind].initial(id);
      this.#states.set(tag, evolveTag(tag, state, event));
    }
  }
}

/** Something that has happened: an event, made when the book before it is known. */
export type Fact = (book: Book) => Omit<EventDraft, 'version'> & { readonly id?: string };
/** A command that was done before: what it made is in the book. */
export type Deed = (book: Book) => undefined;

export function did<N extends CommandName>(
  name: N,
  payload: CommandPayloads[N],
  more: { readonly at?: string; readonly actor?: Actor } = {},
): Deed {
  return (book) => {
    const { now, actor } = book;
    book.now = more.at ?? now;
    book.actor = more.actor ?? actor;
    const refusal = COMMANDS[name].decide(payload, book);
    if (refusal !== undefined) throw new Error(`${name}: ${refusal.message} (${JSON.stringify(refusal)})`);
    book.emitted.length = 0;
    book.now = now;
    book.actor = actor;
    return undefined;
  };
}

export interface Given {
  /** Who asks; MANAGER unless said otherwise. */
  by(...roles: Role[]): Given;
  byCustomer(customerId: string): Given;
  as(actor: Actor): Given;
  at(now: string): Given;
  /** The key was answered before. */
  answered(key: { id: string; requestHash: string }, answer?: Partial<KeyAnswer>): Given;
  when<N extends CommandName>(name: N, payload: CommandPayloads[N]): When;
}

export interface When {
  /** The events, in order, as far as they are described. Every one must also pass its schema. */
  then(
    t: Test,
    ...expected: Array<{ type: string; data?: object; tags?: readonly string[]; effectiveAt?: string }>
  ): Book;
  thenReplays(t: Test, count: number): Book;
  refused(t: Test, code: string, more?: { field?: string; details?: object; message?: RegExp }): void;
}

export function given(...facts: ReadonlyArray<Fact | Deed>): Given {
  const book = new Book();
  for (const [i, fact] of facts.entries()) {
    const happened = fact(book);
    if (happened === undefined) continue;
    const { id = idOf(`fact ${i}`), ...draft } = happened;
    book.take({ id, version: 1, ...draft });
  }
  const chain: Given = {
    by(...roles) {
      book.actor = { subject: 'tester', roles };
      return chain;
    },
    byCustomer(customerId) {
      book.actor = { subject: 'customer', roles: ['CUSTOMER'], customerId };
      return chain;
    },
    as(actor) {
      book.actor = actor;
      return chain;
    },
    at(now) {
      book.now = now;
      return chain;
    },
    answered(key, answer = {}) {
      book.keys.set(key.id, { requestHash: key.requestHash, revision: 7, events: 1, ...answer });
      return chain;
    },
    when(name, payload) {
      const refusal = (COMMANDS[name].decide as (p: unknown, context: DecisionContext) => Refusal | undefined)(
        payload,
        book,
      );
      return outcome(
        `${name} ${JSON.stringify(payload, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)).slice(0, 160)}`,
        book,
        refusal,
      );
    },
  };
  return chain;
}

function outcome(title: string, book: Book, refusal: Refusal | undefined): When {
  return {
    then(t, ...expected) {
      t.equal(refusal?.message, undefined, title);
      t.match(book.emitted, expected as never, title);
      t.equal(book.emitted.length, expected.length, `${title}: number of events`);
      return book;
    },
    thenReplays(t, count) {
      t.equal(refusal?.message, undefined, title);
      t.same([book.replayed.length, book.emitted.length], [count, 0], title);
      return book;
    },
    refused(t, code, more = {}) {
      refusalsMet.add(refusal?.refused ?? '');
      t.match(refusal ?? { refused: 'nothing' }, { refused: code, ...more }, title);
    },
  };
}

const ofTenant =
  (type: string, data: object): Fact =>
  () => ({ type, data, tags: [tagOf('tenant', TENANT)] });
const ofAccount =
  (type: string, number: string, data: object): Fact =>
  () => ({
    type,
    data: { account: account(number), ...data },
    tags: [tagOf('account', account(number))],
  });

export const tenantCreated = (settings: object = {}): Fact =>
  ofTenant('tenant-created', { slug: 'acme', ...SETTINGS, ...settings });
export const tenantSuspended: Fact = ofTenant('tenant-status-set', { from: 'ACTIVE', to: 'SUSPENDED', reason: 'test' });

/** A wallet in naira with a floor of zero, unless told otherwise; null takes a limit away. */
export function opened(number: string, more: Record<string, unknown> = {}): Fact {
  const data: Record<string, unknown> = {
    account: account(number),
    number,
    name: number,
    owner: OWNER,
    currency: 'NGN',
    kind: 'LIABILITY',
    product: 'WALLET',
    permission: 'FULL_ACCESS',
    overdraftLimit: '0',
    minimumBalance: '0',
    ...more,
  };
  for (const [name, value] of Object.entries(data)) if (value === null) delete data[name];
  return () => ({ type: 'account-opened', data, tags: [tagOf('account', account(number)), tagOf('tenant', TENANT)] });
}
export const openedFree = (number: string, more: Record<string, unknown> = {}): Fact =>
  opened(number, { product: 'INTERNAL', kind: 'ASSET', minimumBalance: null, ...more });

/** Money went from one account to another; `name` is the entry's. */
export function moved(from: string, to: string, amount: bigint, name?: string): Fact {
  return (book) => {
    const [source, target] = [book.state('account', account(from)), book.state('account', account(to))];
    const line = (number: string, side: 'debit' | 'credit', balance: bigint, sequence: number) => ({
      account: account(number),
      currency: source.currency,
      side,
      amount: String(amount),
      balance: String(balance),
      sequence,
    });
    return {
      ...(name === undefined ? {} : { id: idOf(name) }),
      type: 'entry-posted',
      data: {
        kind: 'posting',
        lines: [
          line(from, 'debit', source.ledger - amount, source.sequence + 1),
          line(to, 'credit', target.ledger + amount, target.sequence + 1),
        ],
        valueDate: book.today,
      },
      tags: [tagOf('account', account(from)), tagOf('account', account(to))],
      effectiveAt: book.today,
    };
  };
}

export function held(
  name: string,
  number: string,
  amount: bigint,
  more: { type?: HoldType; expiresAt?: string; group?: string } = {},
): Fact {
  return (book) => {
    const { held: before, liens, currency } = book.state('account', account(number));
    const { type = 'HOLD', ...rest } = more;
    return {
      type: 'hold-placed',
      data: {
        hold: idOf(name),
        account: account(number),
        currency,
        amount: String(amount),
        type,
        reason: 'test',
        ...rest,
        held: String(before + (type === 'HOLD' ? amount : 0n)),
        liens: String(liens + (type === 'LIEN' ? amount : 0n)),
      },
      tags: [tagOf('account', account(number)), tagOf('hold', idOf(name))],
    };
  };
}

export const frozen = (number: string, scope: FreezeScope): Fact =>
  ofAccount('account-frozen', number, { scope, reason: 'test' });
export const closed = (number: string): Fact => ofAccount('account-closed', number, {});
export const permitted = (number: string, to: Permission, byStaff = true): Fact =>
  ofAccount('account-permission-changed', number, { from: 'FULL_ACCESS', to, byStaff });
export const tokenIssued =
  (name: string): Fact =>
  () => ({
    type: 'api-token-issued',
    data: { token: idOf(name), name, roles: ['AGENT'], ipAllowList: [], expiresAt: '2027-01-01T00:00:00.000Z' },
    tags: [tagOf('token', idOf(name))],
  });
export const tokenIs =
  (name: string, status: 'disabled' | 'deleted'): Fact =>
  () => ({
    type: `api-token-${status}`,
    data: { token: idOf(name) },
    tags: [tagOf('token', idOf(name))],
  });

/** The payload of post-entries with one instruction: `from` is debited. */
export function transfer(
  from: string,
  to: string,
  amount: bigint,
  more: Partial<CommandPayloads['post-entries']['instructions'][number]> = {},
) {
  return {
    instructions: [
      {
        primaryNumber: from,
        currency: 'NGN',
        direction: 'debit-primary' as const,
        counterparties: [{ number: to, currency: more.currency ?? 'NGN', amount }],
        key: keyOf('k'),
        ...more,
      },
    ],
  };
}
