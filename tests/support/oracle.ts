/**
 * The book by itself: recomputes everything from stored events with the plainest code there is, and throws where an
 * invariant of architecture.md §4 does not hold. Shares no code with the aggregates, deciders or projections.
 */
import { createHash } from 'node:crypto';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { checkEvent } from '../../domain/event-types.js';

export interface OracleAccount {
  readonly number: string;
  readonly currency: string;
  readonly debitNormal: boolean;
  readonly system: boolean;
  open: boolean;
  permission: string;
  frozen: string | undefined;
  overdraft: bigint;
  minimum: bigint | undefined;
  maximum: bigint | undefined;
  balance: bigint;
  held: bigint;
  liens: bigint;
  lines: number;
}

interface OracleHold {
  readonly account: string;
  readonly type: 'HOLD' | 'LIEN';
  readonly placed: bigint;
  readonly expiresAt: string | undefined;
  captured: bigint;
  released: bigint;
}

interface Line {
  readonly account: string;
  readonly currency: string;
  readonly side: 'debit' | 'credit';
  readonly amount: string;
  readonly balance: string;
  readonly sequence: number;
}

interface Entry {
  readonly kind: string;
  readonly lines: readonly Line[];
}

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

/** One tenant's book, event by event. */
export class Oracle {
  readonly accounts = new Map<string, OracleAccount>();
  readonly holds = new Map<string, OracleHold>();
  status = 'NONE';
  currencies: readonly string[] = [];
  /** What was posted, as stored: text, so that logs of millions of events fit into memory. */
  readonly #entries = new Map<string, string>();
  readonly #reversed = new Set<string>();
  readonly #keys = new Set<string>();
  readonly #ids = new Set<string>();
  #next = 0;
  #hash = '0'.repeat(64);
  #recordedAt = '';
  #event: StoredEvent | undefined;

  constructor(readonly tenantId: string) {}

  get revision(): number {
    return this.#next - 1;
  }

  take(event: StoredEvent): void {
    this.#event = event;
    this.#envelope(event);
    const data = event.data as never;
    switch (event.type) {
      case 'tenant-created':
      case 'tenant-updated':
        this.#tenant(event.type, data);
        break;
      case 'tenant-status-set':
        this.#is((data as { from: string }).from === this.status, 'status it was');
        this.status = (data as { to: string }).to;
        break;
      case 'account-opened':
        this.#opened(data);
        break;
      case 'account-closed': {
        const account = this.#account((data as { account: string }).account);
        this.#is(account.balance === 0n && account.held === 0n && account.liens === 0n, 'a closed account is empty');
        this.#is(!account.system, 'a system account stays open');
        account.open = false;
        break;
      }
      case 'account-frozen':
        this.#account((data as { account: string }).account).frozen = (data as { scope: string }).scope;
        break;
      case 'account-unfrozen':
        this.#account((data as { account: string }).account).frozen = undefined;
        break;
      case 'account-permission-changed':
        this.#is(
          this.#account((data as { account: string }).account).permission === (data as { from: string }).from,
          'permission it was',
        );
        this.#account((data as { account: string }).account).permission = (data as { to: string }).to;
        break;
      case 'account-limits-changed':
        Object.assign(this.#account((data as { account: string }).account), limitsOf(data));
        break;
      case 'entry-posted':
        this.#entry(event, data);
        break;
      case 'hold-placed':
        this.#placed(data);
        break;
      case 'hold-released':
        this.#released(data);
        break;
      case 'command-refused':
        this.#is(
          event.keyId !== undefined && event.tags.length === 0,
          'a recorded refusal has a key and changes nothing',
        );
        break;
      default:
        break;
    }
    this.#sumsToZero();
  }

  #is(condition: boolean, what: string): asserts condition {
    if (condition) return;
    const { type, id, revision } = this.#event as StoredEvent;
    throw new InvariantBroken(`${what}: tenant ${this.tenantId}, revision ${revision}, ${type} ${id}`);
  }

  #envelope(event: StoredEvent): void {
    this.#is(event.tenantId === this.tenantId, 'own tenant');
    this.#is(event.revision === this.#next, `revision ${this.#next} comes next`);
    this.#next += 1;
    const { tenantId, revision, id, type, storedVersion, recordedAt, effectiveAt, tags, metaText, dataText } = event;
    const text = [
      tenantId,
      revision,
      id,
      type,
      storedVersion,
      recordedAt,
      effectiveAt,
      tags.join(' '),
      metaText,
      dataText,
    ].join('\n');
    const hash = createHash('sha256').update(`${this.#hash}\n${text}`).digest('hex');
    this.#is(hash === event.hash, 'hash chain');
    this.#hash = hash;
    this.#is(recordedAt >= this.#recordedAt, 'time does not run backwards');
    this.#recordedAt = recordedAt;
    this.#is(!this.#ids.has(id), 'id once');
    this.#ids.add(id);
    if (event.keyId !== undefined) {
      this.#is(!this.#keys.has(event.keyId), 'key once');
      this.#is(typeof event.meta['requestHash'] === 'string', 'a key has its request hash');
      this.#keys.add(event.keyId);
    }
    const problem = checkEvent(event);
    this.#is(problem === undefined, `schema: ${problem ?? ''}`);
  }

  #tenant(type: string, { currencies }: { currencies: string[] }): void {
    this.#is((type === 'tenant-created') === (this.status === 'NONE'), 'created once, then updated');
    this.#is(
      this.currencies.every((currency) => currencies.includes(currency)),
      'no currency is forgotten',
    );
    this.currencies = currencies;
    if (this.status === 'NONE') this.status = 'ACTIVE';
  }

  #opened(data: Record<string, string>): void {
    const { account = '', number = '', currency = '', kind = '', permission = '' } = data;
    this.#is(!this.accounts.has(account), 'account opened once');
    this.#is(
      [...this.accounts.values()].every((other) => other.number !== number),
      'number given once',
    );
    this.#is(this.currencies.includes(currency), 'currency of the tenant');
    this.accounts.set(account, {
      number,
      currency,
      permission,
      open: true,
      frozen: undefined,
      debitNormal: kind === 'ASSET' || kind === 'EXPENSE',
      system: data['systemRole'] !== undefined,
      balance: 0n,
      held: 0n,
      liens: 0n,
      lines: 0,
      ...limitsOf(data as never),
    });
  }

  #account(id: string): OracleAccount {
    const account = this.accounts.get(id);
    this.#is(account !== undefined, `account ${id} is there`);
    this.#is(account.open, `account ${id} is open`);
    return account;
  }

  #entry(
    event: StoredEvent,
    data: Entry & { valueDate: string; reverses?: string; forced?: boolean; capture?: Record<string, string> },
  ): void {
    this.#is(this.status === 'ACTIVE', 'tenant is active');
    this.#is(data.valueDate === event.effectiveAt && data.valueDate >= '1900-01-01', 'value date');
    const sums = new Map<string, bigint>();
    const before = new Map<string, bigint>();
    for (const line of data.lines) {
      const account = this.#account(line.account);
      this.#is(account.currency === line.currency, 'currency of the account');
      this.#is(account.frozen !== 'ALL' && !(account.frozen === 'DEBIT' && line.side === 'debit'), 'not frozen');
      const allowed =
        account.permission === 'FULL_ACCESS' ||
        account.permission === (line.side === 'debit' ? 'DEBIT_ONLY' : 'CREDIT_ONLY');
      this.#is(allowed || data.kind === 'reversal', 'permitted');
      const signed = line.side === 'credit' ? BigInt(line.amount) : -BigInt(line.amount);
      this.#is(BigInt(line.amount) > 0n, 'positive amount');
      if (!before.has(line.account)) before.set(line.account, account.balance);
      account.balance += signed;
      account.lines += 1;
      this.#is(BigInt(line.balance) === account.balance, `balance after line ${account.lines} of ${account.number}`);
      this.#is(line.sequence === account.lines, `line ${account.lines} of ${account.number} comes next`);
      sums.set(line.currency, (sums.get(line.currency) ?? 0n) + signed);
      this.#is(event.tags.includes(`account:${line.account}`), 'tagged with its accounts');
    }
    this.#is(data.lines.length >= 2, 'two lines');
    for (const [currency, sum] of sums) this.#is(sum === 0n, `debits equal credits in ${currency}`);
    if (data.capture !== undefined) this.#captured(event, data.capture);
    if (data.reverses !== undefined) this.#reverses(event, data.reverses, data.lines);
    this.#is((data.kind === 'capture') === (data.capture !== undefined), 'a capture says of what');
    this.#is((data.kind === 'reversal') === (data.reverses !== undefined), 'a reversal says of what');
    for (const [id, was] of before) this.#withinLimits(this.#account(id), was, data.forced === true);
    this.#entries.set(event.id, event.dataText);
  }

  #withinLimits(account: OracleAccount, was: bigint, forced: boolean): void {
    const [before, after] = account.debitNormal ? [-was, -account.balance] : [was, account.balance];
    if (after < before && account.minimum !== undefined && !forced) {
      const left = after - account.held - account.liens - (account.minimum - account.overdraft);
      this.#is(left >= 0n, `floor of ${account.number}`);
    }
    if (after > before && account.maximum !== undefined)
      this.#is(after <= account.maximum, `ceiling of ${account.number}`);
  }

  #placed(data: Record<string, string>): void {
    const { hold = '', account: id = '', amount = '', type, expiresAt } = data;
    this.#is(this.status === 'ACTIVE', 'tenant is active');
    const account = this.#account(id);
    this.#is(!this.holds.has(hold), 'hold placed once');
    this.#is(data['currency'] === account.currency && BigInt(amount) > 0n, 'amount of the account');
    this.#is(type === 'LIEN' || account.frozen === undefined, 'not frozen');
    this.#is(expiresAt === undefined || expiresAt > (this.#event?.recordedAt ?? ''), 'not expired already');
    if (type === 'LIEN') account.liens += BigInt(amount);
    else account.held += BigInt(amount);
    this.#totals(account, data);
    const normal = account.debitNormal ? -account.balance : account.balance;
    if (account.minimum !== undefined) {
      this.#is(
        normal - account.held - account.liens >= account.minimum - account.overdraft,
        `floor of ${account.number} with holds`,
      );
    }
    this.holds.set(hold, {
      account: id,
      type: type as 'HOLD',
      placed: BigInt(amount),
      expiresAt,
      captured: 0n,
      released: 0n,
    });
  }

  #hold(id: string): OracleHold {
    const hold = this.holds.get(id);
    this.#is(hold !== undefined, 'hold is there');
    return hold;
  }

  #lessHeld(hold: OracleHold, data: Record<string, string>): void {
    const account = this.#account(hold.account);
    const amount = BigInt(data['amount'] ?? '');
    if (hold.type === 'LIEN') account.liens -= amount;
    else account.held -= amount;
    this.#is(amount > 0n && hold.captured + hold.released <= hold.placed, 'captured + released ≤ placed');
    this.#is(BigInt(data['remaining'] ?? '') === hold.placed - hold.captured - hold.released, 'what remains on hold');
    this.#is(data['account'] === hold.account, 'account of the hold');
    this.#totals(account, data);
  }

  #totals(account: OracleAccount, data: Record<string, string>): void {
    this.#is(BigInt(data['held'] ?? '') === account.held && account.held >= 0n, `held on ${account.number}`);
    this.#is(BigInt(data['liens'] ?? '') === account.liens && account.liens >= 0n, `liens on ${account.number}`);
  }

  #captured(event: StoredEvent, data: Record<string, string>): void {
    const hold = this.#hold(data['hold'] ?? '');
    this.#is(hold.expiresAt === undefined || hold.expiresAt > event.recordedAt, 'captured before it expires');
    hold.captured += BigInt(data['amount'] ?? '');
    this.#lessHeld(hold, data);
    const debited = (event.data as { lines: Line[] }).lines
      .filter((line) => line.account === hold.account && line.side === 'debit')
      .reduce((sum, line) => sum + BigInt(line.amount), 0n);
    this.#is(debited === BigInt(data['amount'] ?? ''), 'what is captured is debited');
  }

  #released(data: Record<string, string>): void {
    const hold = this.#hold(data['hold'] ?? '');
    if (data['cause'] === 'expired')
      this.#is(hold.expiresAt !== undefined && hold.expiresAt <= (this.#event?.recordedAt ?? ''), 'expires when due');
    hold.released += BigInt(data['amount'] ?? '');
    this.#lessHeld(hold, data);
  }

  #reverses(event: StoredEvent, id: string, lines: readonly Line[]): void {
    const stored = this.#entries.get(id);
    this.#is(stored !== undefined, 'reverses a posting');
    const original = JSON.parse(stored) as Entry;
    this.#is(original.kind !== 'reversal', 'reverses a posting');
    this.#is(!this.#reversed.has(id), 'reversed once');
    this.#reversed.add(id);
    const left = [...original.lines];
    for (const line of lines) {
      const at = left.findIndex(
        (one) => one.account === line.account && one.side !== line.side && BigInt(one.amount) >= BigInt(line.amount),
      );
      this.#is(at >= 0, 'mirrors lines of the original');
      left.splice(at, 1);
    }
    this.#is(event.tags.includes(`posting:${id}`), 'tagged with what it reverses');
  }

  #sumsToZero(): void {
    const sums = new Map<string, bigint>();
    for (const { currency, balance } of this.accounts.values())
      sums.set(currency, (sums.get(currency) ?? 0n) + balance);
    for (const [currency, sum] of sums) this.#is(sum === 0n, `Σ of all balances in ${currency}`);
  }
}

function limitsOf(data: { overdraftLimit: string; minimumBalance?: string; maximumBalance?: string }) {
  const optional = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : BigInt(text));
  return {
    overdraft: BigInt(data.overdraftLimit),
    minimum: optional(data.minimumBalance),
    maximum: optional(data.maximumBalance),
  };
}

/** The books of all tenants, from events in the order of their positions; any number of them, page by page. */
export class Books {
  readonly byTenant = new Map<string, Oracle>();
  #positions = 0;

  get events(): number {
    return this.#positions;
  }

  take(event: StoredEvent): void {
    this.#positions += 1;
    if (event.position !== String(this.#positions)) throw new InvariantBroken(`position ${this.#positions} is missing`);
    const book = this.byTenant.get(event.tenantId) ?? new Oracle(event.tenantId);
    this.byTenant.set(event.tenantId, book);
    book.take(event);
  }
}

/** The books of all tenants, from a whole log. */
export function booksOf(events: readonly StoredEvent[]): Map<string, Oracle> {
  const books = new Books();
  for (const event of events) books.take(event);
  return books.byTenant;
}
