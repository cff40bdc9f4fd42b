import type { KeyVault } from '../../application/ports/key-vault.js';
import type {
  AccountView,
  AgentView,
  AuditEventView,
  BalanceAt,
  BankDetailView,
  CustomerFilter,
  CustomerView,
  EmployeeView,
  EntryFilter,
  EntryLineView,
  HoldView,
  Page,
  Paged,
  ReadModels,
  StatementView,
  TenantSettingsView,
  TenantView,
  TrialBalanceRow,
} from '../../application/ports/read-models.js';
import { type EventLog, GENESIS_HASH, type StoredEvent } from '../../application/ports/event-log.js';
import { accountAggregate } from '../../domain/ledger/account.js';
import type { EntryPosted, LedgerEvent } from '../../domain/ledger/events.js';
import { holdAggregate } from '../../domain/ledger/hold.js';
import type { Role } from '../../domain/shared/decider.js';
import type { Json } from '../../domain/shared/event.js';
import { PRIVILEGED_EVENTS } from '../../domain/privileged.js';
import { lineIdOf } from '../../domain/shared/ids.js';
import { type SealedPerson, sealedPersonOf } from '../../domain/shared/person.js';
import type { TenantSettings } from '../../domain/tenant/events.js';
import { FoldedLending } from './folded-lending.js';
import { FoldedLoans } from './folded-loans.js';
import { FoldedPeople } from './folded-people.js';

/** Everything of one tenant, folded. */
interface Books {
  accounts: Map<
    string,
    { state: ReturnType<typeof accountAggregate.initial>; openedAt: string; closedAt: string | null }
  >;
  holds: Map<string, { state: ReturnType<typeof holdAggregate.initial>; placedAt: string }>;
  lines: EntryLineView[];
  reversedBy: Map<string, string>;
  keys: Map<string, string>;
  people: FoldedPeople;
  lending: FoldedLoans;
  events: AuditEventView[];
  head: string;
}

const paged = <T>(items: readonly T[], { page, size }: Page): Paged<T> => ({
  items: items.slice((page - 1) * size, page * size),
  totalElements: items.length,
});

/**
 * The read models as a plain fold of the log in memory: for tests of the edge, which must not depend on how the real
 * ones are stored. Always caught up, because it reads what it lacks before it answers.
 */
export class FoldedReadModels extends FoldedLending implements ReadModels {
  readonly #log: EventLog;
  readonly #books = new Map<string, Books>();
  readonly #tenants = new Map<string, TenantView>();
  readonly #domains = new Map<string, { readonly tenantId: string; readonly agentId: string | null }>();
  readonly #vault: Pick<KeyVault, 'open'> | undefined;
  #position = '';

  /** Without a vault nobody's person is shown. */
  constructor(log: EventLog, vault?: Pick<KeyVault, 'open'>) {
    super();
    this.#log = log;
    this.#vault = vault;
  }

  protected async lending(tenantId: string): Promise<FoldedLoans> {
    return (await this.#of(tenantId)).lending;
  }

  async #of(tenantId: string): Promise<Books> {
    await this.#catchUp();
    return this.#booksOf(tenantId);
  }

  async #catchUp(): Promise<void> {
    const after = this.#position;
    const events = await this.#log.readAll({ after, limit: 1_000_000 });
    const opened = await this.#open(events);
    // Another query read them meanwhile.
    if (after !== this.#position) return;
    for (const event of events) this.#apply(event, opened.get(event));
    this.#position = events.at(-1)?.position ?? after;
  }

  async #open(events: readonly StoredEvent[]): Promise<Map<StoredEvent, Json | undefined>> {
    const sealed = events.filter(({ data }) => sealedPersonOf(data) !== undefined);
    if (this.#vault === undefined || sealed.length === 0) return new Map();
    const plain = await this.#vault.open(
      sealed.map(({ tenantId, data }) => ({ tenantId, person: sealedPersonOf(data) as SealedPerson })),
    );
    return new Map(sealed.map((event, i) => [event, plain[i]]));
  }

  #booksOf(tenantId: string): Books {
    let books = this.#books.get(tenantId);
    if (books === undefined) {
      books = {
        accounts: new Map(),
        holds: new Map(),
        lines: [],
        reversedBy: new Map(),
        keys: new Map(),
        people: new FoldedPeople(),
        lending: new FoldedLoans(),
        events: [],
        head: GENESIS_HASH,
      };
      this.#books.set(tenantId, books);
    }
    return books;
  }

  #apply(event: StoredEvent, opened: Json | undefined): void {
    const books = this.#booksOf(event.tenantId);
    const { revision, id, type, version, recordedAt, effectiveAt, tags, data, hash, meta } = event;
    const actor = meta['actor'] ?? '';
    const correlationId = meta['correlation'] ?? '';
    books.events.push({
      revision,
      id,
      type,
      version,
      recordedAt,
      effectiveAt,
      actor,
      correlationId,
      tags,
      data,
      previousHash: books.head,
      hash,
    });
    books.head = hash;
    this.#applyTenant(event);
    this.#applyDomains(event);
    books.people.apply(event, opened);
    books.lending.apply(event, opened);
    const ledger = event as unknown as LedgerEvent;
    for (const tag of tags) {
      const key = tag.slice(tag.indexOf(':') + 1);
      if (tag.startsWith('account:')) {
        const before = books.accounts.get(key) ?? {
          state: accountAggregate.initial(key),
          openedAt: recordedAt,
          closedAt: null,
        };
        const state = accountAggregate.evolve(before.state, ledger, key);
        books.accounts.set(key, {
          ...before,
          state,
          closedAt: type === 'account-closed' ? recordedAt : before.closedAt,
        });
      }
      if (tag.startsWith('hold:')) {
        const before = books.holds.get(key) ?? { state: holdAggregate.initial(key), placedAt: recordedAt };
        books.holds.set(key, { ...before, state: holdAggregate.evolve(before.state, ledger, key) });
      }
    }
    if (type === 'entry-posted') this.#applyEntry(books, event, actor, correlationId);
    if (event.keyId !== undefined) books.keys.set(event.keyId, id);
  }

  #applyEntry(books: Books, event: StoredEvent, actor: string, correlationId: string): void {
    const data = event.data as EntryPosted['data'];
    if (data.reverses !== undefined) books.reversedBy.set(data.reverses, event.id);
    data.lines.forEach((line, index) => {
      const amount = BigInt(line.amount);
      const after = BigInt(line.balance);
      books.lines.push({
        lineId: lineIdOf(event.id, index),
        entryId: event.id,
        revision: event.revision,
        lineIndex: index,
        accountId: line.account,
        currency: line.currency,
        side: line.side,
        amount,
        balanceBefore: line.side === 'credit' ? after - amount : after + amount,
        balanceAfter: after,
        sequence: line.sequence,
        valueDate: data.valueDate,
        recordedAt: event.recordedAt,
        kind: data.kind,
        narration: line.narration ?? data.narration ?? null,
        reference: data.reference ?? null,
        instructionKey: data.instructionKey ?? null,
        correlationId,
        actor,
        reverses: data.reverses ?? null,
        reversedBy: null,
      });
    });
  }

  #applyTenant(event: StoredEvent): void {
    const { tenantId } = event;
    const before = this.#tenants.get(tenantId);
    const settings = event.data as TenantSettings & { slug?: string; to?: TenantView['status'] };
    if (event.type === 'tenant-created') {
      const { slug = '' } = settings;
      const createdAt = event.recordedAt;
      this.#tenants.set(tenantId, {
        tenantId,
        ...settings,
        slug,
        smsSenderId: settings.smsSenderId ?? null,
        status: 'ACTIVE',
        createdAt,
      });
    } else if (before !== undefined && event.type === 'tenant-updated') {
      this.#tenants.set(tenantId, {
        ...before,
        ...settings,
        slug: before.slug,
        smsSenderId: settings.smsSenderId ?? null,
      });
    } else if (before !== undefined && event.type === 'tenant-status-set') {
      this.#tenants.set(tenantId, { ...before, status: settings.to ?? before.status });
    }
  }

  /** Whoever names a domain first has it until he names it no more. */
  #applyDomains({ type, tenantId, data }: StoredEvent): void {
    if (!['tenant-created', 'tenant-updated', 'agent-created', 'agent-updated'].includes(type)) return;
    const { domains, agent: agentId = null } = data as { domains: readonly string[]; agent?: string };
    const named = domains.map((domain) => domain.toLowerCase());
    for (const [domain, owner] of this.#domains) {
      const isOwn = owner.tenantId === tenantId && owner.agentId === agentId;
      if (isOwn && !named.includes(domain)) this.#domains.delete(domain);
    }
    for (const domain of named) if (!this.#domains.has(domain)) this.#domains.set(domain, { tenantId, agentId });
  }

  #view(books: Books, accountId: string): AccountView | undefined {
    const found = books.accounts.get(accountId);
    if (found === undefined) return undefined;
    const { state, openedAt, closedAt } = found;
    const { number, owner, currency, kind, product, permission, overdraftLimit, ledger, held, liens, sequence } = state;
    const name = state.name === '' ? books.people.accountName(accountId) : state.name;
    return {
      ...{
        accountId,
        number,
        name,
        owner,
        currency,
        kind,
        product,
        permission,
        overdraftLimit,
        ledger,
        held,
        liens,
        sequence,
      },
      systemRole: state.systemRole ?? null,
      status: state.status === 'CLOSED' ? 'CLOSED' : 'ACTIVATED',
      frozen: state.frozen ?? null,
      minimumBalance: state.minimumBalance ?? null,
      maximumBalance: state.maximumBalance ?? null,
      openedAt,
      closedAt,
    };
  }

  #lines(books: Books, wanted: (line: EntryLineView) => boolean): EntryLineView[] {
    return books.lines
      .filter(wanted)
      .map((line) => ({ ...line, reversedBy: books.reversedBy.get(line.entryId) ?? null }));
  }

  #views(books: Books): AccountView[] {
    return [...books.accounts.keys()].flatMap((id) => this.#view(books, id) ?? []);
  }

  async account(tenantId: string, accountId: string): Promise<AccountView | undefined> {
    return this.#view(await this.#of(tenantId), accountId);
  }

  async accountByNumber(tenantId: string, number: string): Promise<AccountView | undefined> {
    return this.#views(await this.#of(tenantId)).find((account) => account.number === number);
  }

  async accountsOfOwner(tenantId: string, owner: string): Promise<readonly AccountView[]> {
    return this.#views(await this.#of(tenantId)).filter((account) => account.owner === owner);
  }

  async accounts(
    tenantId: string,
    filter: { product?: string; currency?: string; agentIds?: readonly string[] },
    page: Page,
  ): Promise<Paged<AccountView>> {
    const { product, currency, agentIds } = filter;
    const books = await this.#of(tenantId);
    return paged(
      this.#views(books).filter(
        (one) =>
          (product === undefined || one.product === product) &&
          (currency === undefined || one.currency === currency) &&
          (agentIds === undefined || agentIds.includes(books.people.customer(one.owner)?.agentId ?? '')),
      ),
      page,
    );
  }

  async entriesOfAccount(
    tenantId: string,
    accountId: string,
    filter: EntryFilter,
    page: Page,
  ): Promise<Paged<EntryLineView>> {
    const { fromDate = '', toDate = '9999-12-31', side } = filter;
    const wanted = (line: EntryLineView) =>
      line.accountId === accountId &&
      line.valueDate >= fromDate &&
      line.valueDate <= toDate &&
      (side === undefined || line.side === side);
    return paged(this.#lines(await this.#of(tenantId), wanted).reverse(), page);
  }

  async entriesByCorrelation(tenantId: string, correlationId: string): Promise<readonly EntryLineView[]> {
    return this.#lines(await this.#of(tenantId), (line) => line.correlationId === correlationId);
  }

  async entriesByKeys(tenantId: string, keyIds: readonly string[]): Promise<readonly EntryLineView[]> {
    const books = await this.#of(tenantId);
    const entries = new Set(keyIds.flatMap((key) => books.keys.get(key) ?? []));
    return this.#lines(books, (line) => entries.has(line.entryId));
  }

  async entry(tenantId: string, entryId: string): Promise<readonly EntryLineView[]> {
    return this.#lines(await this.#of(tenantId), (line) => line.entryId === entryId);
  }

  #holdViews(books: Books): HoldView[] {
    return [...books.holds].map(([holdId, { state, placedAt }]) => ({
      holdId,
      accountId: state.account,
      currency: state.currency,
      type: state.type,
      status: state.status === 'NONE' ? 'ACTIVE' : state.status,
      reason: state.reason,
      groupId: state.group ?? null,
      placed: state.placed,
      captured: state.captured,
      released: state.released,
      placedAt,
      expiresAt: state.expiresAt ?? null,
    }));
  }

  async hold(tenantId: string, holdId: string): Promise<HoldView | undefined> {
    return this.#holdViews(await this.#of(tenantId)).find((hold) => hold.holdId === holdId);
  }

  async holds(
    tenantId: string,
    filter: { accountId?: string; status?: HoldView['status']; groupId?: string },
    page: Page,
  ): Promise<Paged<HoldView>> {
    const { accountId, status, groupId } = filter;
    const wanted = (hold: HoldView) =>
      (accountId === undefined || hold.accountId === accountId) &&
      (status === undefined || hold.status === status) &&
      (groupId === undefined || hold.groupId === groupId);
    return paged(
      this.#holdViews(await this.#of(tenantId))
        .filter(wanted)
        .reverse(),
      page,
    );
  }

  async holdsOfGroup(tenantId: string, groupId: string): Promise<readonly HoldView[]> {
    return this.#holdViews(await this.#of(tenantId)).filter((hold) => hold.groupId === groupId);
  }

  async trialBalance(
    tenantId: string,
    filter: { asOf?: string; currency?: string },
  ): Promise<readonly TrialBalanceRow[]> {
    const books = await this.#of(tenantId);
    const { asOf = '9999-12-31', currency } = filter;
    return this.#views(books)
      .filter((account) => currency === undefined || account.currency === currency)
      .map((account) => {
        const lines = books.lines.filter((line) => line.accountId === account.accountId && line.valueDate <= asOf);
        const sum = (side: 'debit' | 'credit') =>
          lines.filter((line) => line.side === side).reduce((total, line) => total + line.amount, 0n);
        const { accountId, number, name, kind } = account;
        const debits = sum('debit');
        const credits = sum('credit');
        return {
          accountId,
          number,
          name,
          kind,
          currency: account.currency,
          debits,
          credits,
          balance: credits - debits,
        };
      });
  }

  async balanceAt(
    tenantId: string,
    accountId: string,
    at: { recordedAt?: string; valueDate?: string },
    limit: number,
  ): Promise<BalanceAt> {
    const { recordedAt = '9999', valueDate = '9999-12-31' } = at;
    const lines = this.#lines(
      await this.#of(tenantId),
      (line) => line.accountId === accountId && line.recordedAt <= recordedAt && line.valueDate <= valueDate,
    ).reverse();
    const ledger = lines.reduce((sum, line) => sum + (line.side === 'credit' ? line.amount : -line.amount), 0n);
    return { ledger, lines: lines.slice(0, limit), lineCount: lines.length };
  }

  async statement(
    tenantId: string,
    accountId: string,
    range: { fromDate: string; toDate: string },
    limit: number,
  ): Promise<StatementView | undefined> {
    const books = await this.#of(tenantId);
    const account = this.#view(books, accountId);
    if (account === undefined) return undefined;
    const mine = this.#lines(books, (line) => line.accountId === accountId);
    const signed = (lines: readonly EntryLineView[]) =>
      lines.reduce((sum, line) => sum + (line.side === 'credit' ? line.amount : -line.amount), 0n);
    const openingBalance = signed(mine.filter((line) => line.valueDate < range.fromDate));
    const lines = mine.filter((line) => line.valueDate >= range.fromDate && line.valueDate <= range.toDate);
    const sum = (side: 'debit' | 'credit') =>
      lines.filter((line) => line.side === side).reduce((total, line) => total + line.amount, 0n);
    return {
      account,
      ...range,
      openingBalance,
      closingBalance: openingBalance + signed(lines),
      totalDebits: sum('debit'),
      totalCredits: sum('credit'),
      lines: lines.slice(0, limit),
      truncated: lines.length > limit,
    };
  }

  async tenant(tenantId: string): Promise<TenantView | undefined> {
    await this.#catchUp();
    return this.#tenants.get(tenantId);
  }

  async domainOwner(
    domain: string,
  ): Promise<{ readonly tenantId: string; readonly agentId: string | null } | undefined> {
    await this.#catchUp();
    return this.#domains.get(domain.toLowerCase());
  }

  async tenants(page: Page): Promise<Paged<TenantView>> {
    await this.#catchUp();
    return paged([...this.#tenants.values()], page);
  }

  async #people(tenantId: string): Promise<FoldedPeople> {
    return (await this.#of(tenantId)).people;
  }

  async tenantSettings(tenantId: string): Promise<TenantSettingsView> {
    return (await this.#people(tenantId)).settings();
  }

  async customer(tenantId: string, idOrCode: string): Promise<CustomerView | undefined> {
    return (await this.#people(tenantId)).customer(idOrCode);
  }

  async customers(tenantId: string, filter: CustomerFilter, page: Page): Promise<Paged<CustomerView>> {
    return paged((await this.#people(tenantId)).customers(filter), page);
  }

  async findCustomers(
    tenantId: string,
    words: readonly string[],
    filter: Pick<CustomerFilter, 'agentIds'>,
    page: Page,
  ): Promise<Paged<CustomerView>> {
    return paged((await this.#people(tenantId)).findCustomers(words, filter), page);
  }

  async bankDetailsOf(tenantId: string, customerId: string): Promise<readonly BankDetailView[]> {
    return (await this.#people(tenantId)).bankDetailsOf(customerId);
  }

  async bankDetail(tenantId: string, bankDetailId: string): Promise<BankDetailView | undefined> {
    return (await this.#people(tenantId)).bankDetail(bankDetailId);
  }

  async employee(tenantId: string, employeeId: string): Promise<EmployeeView | undefined> {
    return (await this.#people(tenantId)).employee(employeeId);
  }

  async employees(
    tenantId: string,
    filter: { readonly role?: Role; readonly status?: EmployeeView['status'] },
    page: Page,
  ): Promise<Paged<EmployeeView>> {
    const { role, status } = filter;
    const wanted = (one: EmployeeView) =>
      one.status !== 'ERASED' &&
      (role === undefined || one.roles.includes(role)) &&
      (status === undefined || one.status === status);
    return paged((await this.#people(tenantId)).employees().filter(wanted), page);
  }

  async agent(tenantId: string, agentId: string): Promise<AgentView | undefined> {
    return (await this.#people(tenantId)).agent(agentId);
  }

  async agents(
    tenantId: string,
    filter: { readonly under?: string; readonly status?: AgentView['status'] },
    page: Page,
  ): Promise<Paged<AgentView>> {
    const { under, status } = filter;
    const wanted = (one: AgentView) =>
      (under === undefined || one.agentId === under || one.parentAgentId === under) &&
      (status === undefined || one.status === status);
    return paged((await this.#people(tenantId)).agents().filter(wanted), page);
  }

  async agentIdsUnder(tenantId: string, agentId: string): Promise<readonly string[]> {
    const people = await this.#people(tenantId);
    const under = people.agents().filter(({ parentAgentId }) => parentAgentId === agentId);
    return people.agent(agentId) === undefined ? [] : [agentId, ...under.map((agent) => agent.agentId)];
  }

  async auditEvents(
    tenantId: string,
    filter: { from?: string; to?: string; type?: string; actor?: string; privileged?: boolean },
    page: Page,
  ): Promise<Paged<AuditEventView>> {
    const { from = '', to = '9999', type, actor } = filter;
    const wanted = (event: AuditEventView) =>
      event.recordedAt >= from &&
      event.recordedAt <= to &&
      (type === undefined || event.type === type) &&
      (filter.privileged !== true || PRIVILEGED_EVENTS.has(event.type)) &&
      (actor === undefined || event.actor === actor);
    return paged((await this.#of(tenantId)).events.filter(wanted).reverse(), page);
  }

  async auditEventsByTag(tenantId: string, tag: string, page: Page): Promise<Paged<AuditEventView>> {
    return paged(
      (await this.#of(tenantId)).events.filter((event) => event.tags.includes(tag)),
      page,
    );
  }

  async waitFor(position: string, timeoutMs: number): Promise<boolean> {
    await this.#catchUp();
    if (this.#log.comparePositions(position, this.#position) <= 0) return true;
    await new Promise((resolve) => setTimeout(resolve, timeoutMs));
    await this.#catchUp();
    return this.#log.comparePositions(position, this.#position) <= 0;
  }
}
