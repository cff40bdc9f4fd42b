import type {
  AccountView,
  AuditEventView,
  BalanceAt,
  EntryFilter,
  EntryLineView,
  HoldView,
  Page,
  Paged,
  ReadModels,
  StatementView,
  TenantView,
  TrialBalanceRow,
} from '../../application/ports/read-models.js';
import { type EventLog, GENESIS_HASH, type StoredEvent } from '../../application/ports/event-log.js';
import { accountAggregate } from '../../domain/ledger/account.js';
import type { EntryPosted, LedgerEvent } from '../../domain/ledger/events.js';
import { holdAggregate } from '../../domain/ledger/hold.js';
import { lineIdOf } from '../../domain/shared/ids.js';
import type { TenantSettings } from '../../domain/tenant/events.js';

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
export class FoldedReadModels implements ReadModels {
  readonly #log: EventLog;
  readonly #books = new Map<string, Books>();
  readonly #tenants = new Map<string, TenantView>();
  #position = '';

  constructor(log: EventLog) {
    this.#log = log;
  }

  async #of(tenantId: string): Promise<Books> {
    await this.#catchUp();
    return this.#booksOf(tenantId);
  }

  async #catchUp(): Promise<void> {
    const after = this.#position;
    const events = await this.#log.readAll({ after, limit: 1_000_000 });
    // Another query read them meanwhile.
    if (after !== this.#position) return;
    for (const event of events) this.#apply(event);
    this.#position = events.at(-1)?.position ?? after;
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
        events: [],
        head: GENESIS_HASH,
      };
      this.#books.set(tenantId, books);
    }
    return books;
  }

  #apply(event: StoredEvent): void {
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

  #view(books: Books, accountId: string): AccountView | undefined {
    const found = books.accounts.get(accountId);
    if (found === undefined) return undefined;
    const { state, openedAt, closedAt } = found;
    const { number, name, owner, currency, kind, product, permission, overdraftLimit, ledger, held, liens, sequence } =
      state;
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
    filter: { product?: string; currency?: string },
    page: Page,
  ): Promise<Paged<AccountView>> {
    const { product, currency } = filter;
    const all = this.#views(await this.#of(tenantId));
    return paged(
      all.filter(
        (one) =>
          (product === undefined || one.product === product) && (currency === undefined || one.currency === currency),
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

  async tenantByDomain(domain: string): Promise<TenantView | undefined> {
    await this.#catchUp();
    return [...this.#tenants.values()].find((tenant) => tenant.domains.includes(domain));
  }

  async tenants(page: Page): Promise<Paged<TenantView>> {
    await this.#catchUp();
    return paged([...this.#tenants.values()], page);
  }

  async auditEvents(
    tenantId: string,
    filter: { from?: string; to?: string; type?: string; actor?: string },
    page: Page,
  ): Promise<Paged<AuditEventView>> {
    const { from = '', to = '9999', type, actor } = filter;
    const wanted = (event: AuditEventView) =>
      event.recordedAt >= from &&
      event.recordedAt <= to &&
      (type === undefined || event.type === type) &&
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
