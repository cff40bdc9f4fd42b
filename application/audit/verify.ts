import { UnknownEvent, checkEvent } from '../../domain/event-types.js';
import type { EntryPosted } from '../../domain/ledger/events.js';
import { type EventLog, GENESIS_HASH, type LogHead, type StoredEvent } from '../ports/event-log.js';
import { isChained } from '../processor/seal.js';
import { KeySet } from './key-set.js';
import { LedgerChecks } from './ledger-checks.js';
import { checkReversal } from './reversals.js';

/** The part of the log that an audit reads. */
export type AuditedLog = Pick<EventLog, 'read' | 'head' | 'eventsById' | 'eventsByKey'>;

export interface VerifyOptions {
  /** First revision, default 0. From a later one balances before it are taken as given. */
  readonly from?: number;
  /** Last revision, default the end. */
  readonly to?: number;
  /** `chain`: hashes, revisions and times only. `all` (default): the events' schemas and the book's invariants too. */
  readonly checks?: 'chain' | 'all';
  /** The hash that the event before `from` had when it was looked at last: more than the log's own word. */
  readonly anchorHash?: string;
  /** Called every thousand events with the revision reached and the one to reach. */
  readonly onProgress?: (revision: number, to: number) => void;
  /** Lets others run: called every few events. */
  readonly pause?: () => Promise<void>;
}

export interface VerifyReport {
  readonly tenantId: string;
  readonly ok: boolean;
  /** Revisions found sound, both inclusive; -1 when there was none. */
  readonly checkedFrom: number;
  readonly checkedTo: number;
  /** Hash of the last event checked. */
  readonly head: string;
  readonly firstBreak?: { readonly revision: number; readonly reason: string };
  readonly eventsChecked: number;
  /** Where the log ended when the check began. */
  readonly logHead: LogHead;
}

/** A report with the book as it was summed up on the way: for comparing read models with. */
export interface Verified {
  readonly report: VerifyReport;
  readonly checks: LedgerChecks;
}

const PROGRESS_EVERY = 1_000;
/** About a millisecond of work. */
const PAUSE_EVERY = 32;

/** Reads one tenant's log once, in order, and stops at the first thing that is not what it should be. */
export async function verifyTenant(log: AuditedLog, tenantId: string, options: VerifyOptions = {}): Promise<Verified> {
  const logHead = await log.head(tenantId);
  const from = options.from ?? 0;
  const to = Math.min(options.to ?? logHead.revision, logHead.revision);
  const pass = new Pass(log, tenantId, from, options);
  let firstBreak = await pass.start(logHead);
  if (firstBreak === undefined && from <= to) firstBreak = await pass.run(to);
  if (firstBreak === undefined && to === logHead.revision) firstBreak = pass.compareHead(logHead);
  const soundTo = (firstBreak?.revision ?? pass.next) - 1;
  const nothing = soundTo < from;
  const report: VerifyReport = {
    tenantId,
    ok: firstBreak === undefined,
    checkedFrom: nothing ? -1 : from,
    checkedTo: nothing ? -1 : soundTo,
    head: pass.hash,
    ...(firstBreak === undefined ? {} : { firstBreak }),
    eventsChecked: pass.checked,
    logHead,
  };
  return { report, checks: pass.checks };
}

type Break = { readonly revision: number; readonly reason: string };

class Pass {
  readonly checks: LedgerChecks;
  checked = 0;
  /** Revision that must come next. */
  next: number;
  hash = GENESIS_HASH;
  #recordedAt = '';
  readonly #keys = new KeySet();
  readonly #reversed = new Set<string>();

  constructor(
    private readonly log: AuditedLog,
    private readonly tenantId: string,
    from: number,
    private readonly options: VerifyOptions,
  ) {
    this.next = from;
    this.checks = new LedgerChecks(from === 0);
  }

  /** Takes up the thread at the event before the first one. */
  async start(head: LogHead): Promise<Break | undefined> {
    const before = this.next - 1;
    if (before < 0) return undefined;
    if (head.revision < before)
      return { revision: head.revision + 1, reason: `the log ends before revision ${before}` };
    const found = await this.#readable(this.log.read(this.tenantId, { from: before, to: before }), before);
    if ('reason' in found) return found;
    const [event] = found.events;
    if (event === undefined) return { revision: before, reason: 'the event is missing' };
    const { anchorHash } = this.options;
    if (anchorHash !== undefined && event.hash !== anchorHash) {
      return { revision: before, reason: 'the event is not the one that was checked before: history was rewritten' };
    }
    this.hash = event.hash;
    this.#recordedAt = event.recordedAt;
    return undefined;
  }

  async run(to: number): Promise<Break | undefined> {
    const { onProgress, pause } = this.options;
    const events = this.log.read(this.tenantId, { from: this.next, to })[Symbol.asyncIterator]();
    for (;;) {
      const step = await nextOf(events);
      if (typeof step === 'string') return { revision: this.next, reason: step };
      if (step === undefined) break;
      const reason = await this.#check(step);
      if (reason !== undefined) return { revision: this.next, reason };
      this.hash = step.hash;
      this.#recordedAt = step.recordedAt;
      this.next += 1;
      this.checked += 1;
      if (this.checked % PROGRESS_EVERY === 0) onProgress?.(step.revision, to);
      if (pause !== undefined && this.checked % PAUSE_EVERY === 0) await pause();
    }
    if (this.next <= to) return { revision: this.next, reason: 'the event is missing' };
    onProgress?.(to, to);
    return undefined;
  }

  /** What the log says of its own end, against what was read. */
  compareHead(head: LogHead): Break | undefined {
    if (head.hash === this.hash && head.recordedAt === this.#recordedAt) return undefined;
    return { revision: head.revision, reason: 'the log remembers another last event' };
  }

  async #check(event: StoredEvent): Promise<string | undefined> {
    try {
      return await this.#checks(event);
    } catch (error) {
      return unreadable(error);
    }
  }

  async #checks(event: StoredEvent): Promise<string | undefined> {
    if (event.revision !== this.next) return 'the event is missing';
    if (!isChained(this.hash, event)) return 'the hash does not fit: the event or its place was changed';
    if (event.recordedAt < this.#recordedAt) return `recorded at ${event.recordedAt}, before the event before it`;
    if (this.options.checks === 'chain') return undefined;
    return (
      checkStored(event) ??
      (await this.#checkKey(event)) ??
      this.checks.check(event) ??
      (await checkReversal(event, this.#reversed, this.log))
    );
  }

  async #checkKey(event: StoredEvent): Promise<string | undefined> {
    const { keyId, meta } = event;
    // The key's column is beside what is hashed; the request's hash goes with it and is inside.
    if ((keyId === undefined) !== (meta.requestHash === undefined)) {
      return keyId === undefined ? 'its idempotency key is gone' : 'it has an idempotency key that it never answered';
    }
    if (keyId === undefined || this.#keys.add(keyId)) return undefined;
    // Seen, or another key with the same 64 bits: the log knows how often.
    const answers = await this.log.eventsByKey(this.tenantId, [keyId]);
    const once = answers.length === 1 && answers[0]?.revision === event.revision;
    return once ? undefined : 'its idempotency key was answered before';
  }

  async #readable(events: AsyncIterable<StoredEvent>, revision: number): Promise<{ events: StoredEvent[] } | Break> {
    const read: StoredEvent[] = [];
    const iterator = events[Symbol.asyncIterator]();
    for (;;) {
      const step = await nextOf(iterator);
      if (typeof step === 'string') return { revision, reason: step };
      if (step === undefined) return { events: read };
      read.push(step);
    }
  }
}

/** The next event, undefined at the end, or why what is stored is no event. */
async function nextOf(events: AsyncIterator<StoredEvent>): Promise<StoredEvent | undefined | string> {
  try {
    const step = await events.next();
    return step.done === true ? undefined : step.value;
  } catch (error) {
    return unreadable(error);
  }
}

/** Why what is stored is no event; other errors are not the log's fault and are thrown on. */
function unreadable(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof UnknownEvent) return `it cannot be read: ${error.message}`;
  throw error;
}

/** The data as stored against the schema of its version, and what the log keeps beside it against what was hashed. */
function checkStored(event: StoredEvent): string | undefined {
  const asWritten =
    event.storedVersion === event.version
      ? event
      : { ...event, version: event.storedVersion, data: JSON.parse(event.dataText) as unknown };
  return (
    checkEvent(asWritten) ?? (event.type === 'entry-posted' ? undated(event as EntryPosted & StoredEvent) : undefined)
  );
}

function undated(event: EntryPosted & StoredEvent): string | undefined {
  return event.effectiveAt === event.data.valueDate ? undefined : 'the entry is not effective at its value date';
}
