import type { Clock } from '../application/ports/clock.js';
import type { EventLog, StoredEvent } from '../application/ports/event-log.js';

export interface FeedOptions {
  /** Recent events kept in memory, for all projections together. */
  readonly maxEvents: number;
  /** Published events that may wait for a gap before them to be filled from the log. */
  readonly maxAhead: number;
}

const DEFAULT_FEED_OPTIONS: FeedOptions = { maxEvents: 10_000, maxAhead: 2_000 };
/** Batches read for projections that are behind, kept for the others that come to the same place. */
const KEPT_BATCHES = 4;

/**
 * One reader of the log for all projections: what one of them has read or a processor of this process has published is
 * not read again. Published events are believed to follow each other only where their positions are neighbours; what
 * others appended in between is read from the log. (Where positions are not dense, everything is.)
 */
export class EventFeed {
  readonly #options: FeedOptions;
  /** Events at neighbouring positions, oldest first. */
  #window: StoredEvent[] = [];
  /** Published events that do not follow the window yet. */
  #ahead: StoredEvent[] = [];
  #batches = new Map<string, readonly StoredEvent[]>();
  readonly #reads = new Map<string, Promise<readonly StoredEvent[]>>();
  readonly #wakers = new Set<() => void>();
  /** The last position anyone has told of. */
  #newest = '';

  constructor(
    readonly log: EventLog,
    private readonly clock: Clock,
    options: Partial<FeedOptions> = {},
  ) {
    this.#options = { ...DEFAULT_FEED_OPTIONS, ...options };
  }

  get newest(): string {
    return this.#newest;
  }

  /** Events that this process has just appended, in any order. */
  publish(events: readonly StoredEvent[]): void {
    for (const event of events) this.#admit(event);
    this.#admitAhead();
    this.#trim();
    for (const wake of this.#wakers) wake();
  }

  /**
   * Events after a position, at most `limit`; none when there are none. With `poll` false only what is known in this
   * process is answered: the log is asked only for what is known to be there.
   */
  async read(after: string, limit: number, poll = true): Promise<readonly StoredEvent[]> {
    const known = this.#known(after, limit);
    if (known !== undefined) return known;
    if (!poll && this.log.comparePositions(this.#newest, after) <= 0) return [];
    const key = `${limit} ${after}`;
    const running = this.#reads.get(key);
    if (running !== undefined) return running;
    const read = this.#readLog(after, limit).finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  /** The event after a position, if it is in memory. */
  peek(after: string): StoredEvent | undefined {
    return this.#known(after, 1)?.[0];
  }

  /** Asks where the log ends, so that `newest` is true. */
  async look(): Promise<void> {
    this.#told(await this.log.lastPosition());
  }

  /** Resolves when more than `after` is known of, at once if it is already, or after `ms`. */
  async wait(after: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.log.comparePositions(this.#newest, after) > 0) return;
    const timer = new AbortController();
    const wake = (): void => timer.abort();
    this.#wakers.add(wake);
    signal.addEventListener('abort', wake);
    try {
      await this.clock.sleep(ms, timer.signal);
    } catch (error) {
      if (!timer.signal.aborted) throw error;
    } finally {
      this.#wakers.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }

  #known(after: string, limit: number): readonly StoredEvent[] | undefined {
    const [first] = this.#window;
    if (first !== undefined) {
      // Neighbouring positions are one apart, so the distance is the index.
      const index = this.log.distance(first.position, after === '' ? first.position : after) + (after === '' ? 0 : 1);
      const fromStart = after === '' && this.log.distance('', first.position) !== 1;
      if (index >= 0 && index < this.#window.length && !fromStart) return this.#window.slice(index, index + limit);
    }
    return this.#batches.get(after)?.slice(0, limit);
  }

  async #readLog(after: string, limit: number): Promise<readonly StoredEvent[]> {
    const events = await this.log.readAll({ after, limit });
    const [first] = events;
    const last = events.at(-1);
    if (first === undefined || last === undefined) return events;
    this.#told(last.position);
    const end = this.#window.at(-1)?.position;
    if (end === undefined || this.log.comparePositions(last.position, end) > 0) {
      // Somebody reads past the window and does not continue it: it starts anew here.
      if (end !== undefined && this.log.distance(end, first.position) > 1) this.#window = [];
      for (const event of events) this.#admit(event);
      this.#admitAhead();
      this.#trim();
    }
    this.#keep(after, events);
    return events;
  }

  #keep(after: string, events: readonly StoredEvent[]): void {
    // The window serves it already.
    if (this.#window.at(-1)?.position === events.at(-1)?.position) return;
    this.#batches.set(after, events);
    const [oldest] = this.#batches.keys();
    if (this.#batches.size > KEPT_BATCHES && oldest !== undefined) this.#batches.delete(oldest);
  }

  #admit(event: StoredEvent): void {
    this.#told(event.position);
    const last = this.#window.at(-1);
    const step = last === undefined ? 1 : this.log.distance(last.position, event.position);
    if (step === 1) this.#window.push(event);
    else if (step > 1) this.#wait(event);
  }

  #wait(event: StoredEvent): void {
    // The gap is not being filled: all of it will be read from the log.
    if (this.#ahead.length >= this.#options.maxAhead) this.#ahead = [];
    this.#ahead.push(event);
  }

  #admitAhead(): void {
    if (this.#ahead.length === 0) return;
    const waiting = this.#ahead.sort((a, b) => this.log.comparePositions(a.position, b.position));
    this.#ahead = [];
    for (const event of waiting) this.#admit(event);
  }

  #trim(): void {
    const excess = this.#window.length - this.#options.maxEvents;
    // In big steps: each one copies what stays.
    if (excess > this.#options.maxEvents / 2) this.#window = this.#window.slice(excess);
  }

  #told(position: string): void {
    if (this.log.comparePositions(position, this.#newest) > 0) this.#newest = position;
  }
}
