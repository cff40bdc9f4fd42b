import {
  type AllStreamRecordedEvent,
  BACKWARDS,
  END,
  type EventData,
  EventStoreDBClient,
  type EventType,
  FORWARDS,
  MaxAppendSizeExceededError,
  NO_STREAM,
  type Position,
  type RecordedEvent,
  START,
  StreamNotFoundError,
  type StreamingRead,
  WrongExpectedVersionError,
  streamNameFilter,
} from '@eventstore/db-client';
import { LogUnavailable, explain } from './failures.js';

/** Longer than the server's own commit time-out (2 s), shorter than the patience of the writer's callers. */
const APPEND_DEADLINE_MS = 8_000;
/** The whole of an append, finding the leader of a cluster included. */
const APPEND_PATIENCE_MS = 9_000;
const READ_PATIENCE_MS = 10_000;
/** Callers wait for the end of a stream before they can be told anything. */
const LAST_PATIENCE_MS = 5_000;
const ALL_PAGE = 1_000;
const HEALTH_PATIENCE_MS = 3_000;
/** The first version that tells what it can do; older ones answer "unimplemented". */
const OLDEST_VERSION = [21, 10] as const;
/** The server tells where it is after this many events of other streams (times 32, its search window). */
const CHECKPOINT_INTERVAL = 10;

/** What a stream holds, as the client gives it. */
export type Recorded = RecordedEvent;

export interface Followed {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
}

interface FollowOptions {
  readonly prefix: string;
  readonly after: Position | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Followed) => void;
  /** Everything before this position was looked at. */
  readonly onCheckpoint: (position: Position) => void;
}

interface GrpcClient {
  getChannel(): object;
}

/** What we reach into the client for; see `hardened`. */
interface ClientInside {
  handleError(client: GrpcClient, error: Error): Promise<void>;
  shouldReconnect(error: Error): readonly unknown[];
  supports(method: unknown, feature?: string): Promise<boolean>;
  getChannel(): Promise<{ close(): void }>;
  readonly capabilities: Promise<{ readonly serverVersion: string }>;
}

/**
 * The client of EventStoreDB with our time-outs, errors and types around it. Everything but the subscription asks the
 * leader: a follower of the cluster may not have seen the last append yet.
 */
export class EventStoreConnection {
  readonly #client: EventStoreDBClient;
  readonly #where: string;
  #newEnough = false;
  /** Ends the waiting of each call that is under way. */
  readonly #underWay = new Set<(error: Error) => void>();

  /** `url`: `esdb://user:password@host:2113,host2:2113?tls=true&tlsCAFile=…`, as EventStoreDB documents it. */
  constructor(private readonly url: string) {
    this.#client = clientOf(url, () => this.#interrupt());
    this.#where = url.replace(/^[^:]*:\/\/(?:[^@/]*@)?([^/?]*).*$/s, '$1');
  }

  /** Appends all or nothing. 'conflict': the stream does not end at `expectedRevision` (-1: does not exist). */
  async append(
    stream: string,
    expectedRevision: number,
    events: readonly EventData[],
  ): Promise<'appended' | 'conflict' | 'too-large'> {
    try {
      const sending = this.#client.appendToStream(stream, events as EventData[], {
        expectedRevision: expectedRevision === -1 ? NO_STREAM : BigInt(expectedRevision),
        requiresLeader: true,
        deadline: APPEND_DEADLINE_MS,
      });
      const result = await this.#within(APPEND_PATIENCE_MS, sending);
      return result.success ? 'appended' : 'conflict';
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) return 'conflict';
      if (error instanceof MaxAppendSizeExceededError) return 'too-large';
      throw explain(error, this.#where);
    }
  }

  /** The last event of a stream, or undefined when there is no such stream. */
  async last(stream: string, patienceMs = LAST_PATIENCE_MS): Promise<Recorded | undefined> {
    const [event] = await this.#read(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }, patienceMs);
    return event;
  }

  /** Events from `revision` on, at most `limit`. */
  page(stream: string, revision: number, limit: number): Promise<Recorded[]> {
    const range = { direction: FORWARDS, fromRevision: BigInt(revision), maxCount: limit } as const;
    return this.#read(stream, range, READ_PATIENCE_MS);
  }

  /** Names of the streams with this prefix in which something stands after this position of $all. */
  async streamsAfter(prefix: string, after: Position | undefined): Promise<string[]> {
    const names = new Set<string>();
    let fromPosition: Position | typeof START = after ?? START;
    for (;;) {
      // The client knows no filter here.
      const options = { fromPosition, maxCount: ALL_PAGE, requiresLeader: true };
      const page = await this.#collect(this.#client.readAll(options), READ_PATIENCE_MS);
      for (const { streamId } of page) if (streamId.startsWith(prefix)) names.add(streamId);
      const last = page.at(-1) as AllStreamRecordedEvent | undefined;
      // The first of a page is the last of the one before it.
      if (last === undefined || page.length < ALL_PAGE) return [...names];
      fromPosition = last.position;
    }
  }

  #read(
    stream: string,
    range: Parameters<EventStoreDBClient['readStream']>[1],
    patienceMs: number,
  ): Promise<Recorded[]> {
    return this.#collect(this.#client.readStream<EventType>(stream, { ...range, requiresLeader: true }), patienceMs);
  }

  async #collect(
    read: StreamingRead<{ readonly event?: Recorded | undefined }>,
    patienceMs: number,
  ): Promise<Recorded[]> {
    const events: Recorded[] = [];
    const reading = new Promise<void>((resolve, reject) => {
      read.on('data', ({ event }) => {
        if (event !== undefined) events.push(event);
      });
      read.on('error', reject);
      read.on('end', resolve);
    });
    try {
      await this.#within(patienceMs, reading);
      return events;
    } catch (error) {
      if (error instanceof StreamNotFoundError) return [];
      void read.cancel().catch(() => undefined);
      throw explain(error, this.#where);
    }
  }

  /**
   * Follows all streams with this prefix until the subscription breaks (throws) or `signal` is aborted (returns). Only
   * where an event stands is told, so that a slow copy holds nothing up.
   */
  async follow({ prefix, after, signal, onEvent, onCheckpoint }: FollowOptions): Promise<void> {
    if (signal.aborted) return;
    const subscription = this.#client.subscribeToAll({
      fromPosition: after ?? START,
      filter: streamNameFilter({
        prefixes: [prefix],
        checkpointInterval: CHECKPOINT_INTERVAL,
        checkpointReached: (_, position) => onCheckpoint(position),
      }),
    });
    let stop = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        stop = resolve;
        signal.addEventListener('abort', stop);
        subscription.on('data', ({ event }) => {
          if (event !== undefined) onEvent(whereabouts(event));
        });
        subscription.on('error', reject);
        subscription.on('end', () => reject(new Error('the subscription ended')));
        subscription.on('close', () => reject(new Error('the subscription was closed')));
      });
    } catch (error) {
      throw explain(error, this.#where);
    } finally {
      signal.removeEventListener('abort', stop);
      await subscription.unsubscribe().catch(() => undefined);
    }
  }

  /** Throws `LogUnavailable` when the server cannot be reached, refuses us or is too old. */
  async check(stream: string): Promise<void> {
    if (!this.#newEnough) await this.#checkVersion();
    await this.last(stream, HEALTH_PATIENCE_MS);
  }

  /** With a client of its own: one that failed to ask remembers the failure for good. */
  async #checkVersion(): Promise<void> {
    const client = clientOf(this.url, () => undefined);
    try {
      const { capabilities } = client as unknown as ClientInside;
      const { serverVersion } = await this.#within(HEALTH_PATIENCE_MS, capabilities);
      if (isTooOld(serverVersion)) {
        throw new LogUnavailable(
          'too-old',
          `EventStoreDB at ${this.#where} is too old (version ${serverVersion}): ${OLDEST_VERSION.join('.')} or newer is needed`,
        );
      }
      this.#newEnough = true;
      await hangUp(client);
    } catch (error) {
      throw explain(error, this.#where);
    }
  }

  async close(): Promise<void> {
    await this.#client.dispose();
    if (this.#newEnough) await this.#within(HEALTH_PATIENCE_MS, hangUp(this.#client)).catch(() => undefined);
  }

  /** Waits for a call, but not for longer than this, nor when its connection is given up. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    let giveUp: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const timer = setTimeout(() => giveUp(new LogUnavailable('unreachable', this.#silent(ms))), ms);
    this.#underWay.add(giveUp);
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(giveUp);
    }
  }

  #interrupt(): void {
    const message = `the connection to EventStoreDB at ${this.#where} was lost and is made anew`;
    for (const giveUp of this.#underWay) giveUp(new LogUnavailable('unreachable', message));
  }

  #silent(ms: number): string {
    return `EventStoreDB at ${this.#where} does not answer within ${ms / 1_000} s`;
  }
}

/** Throws an error without the address, which holds a password. */
function clientOf(url: string, onReconnect: () => void): EventStoreDBClient {
  try {
    return hardened(EventStoreDBClient.connectionString(url), onReconnect);
  } catch (error) {
    // What the parser stumbles on may be a piece of the password.
    const { message } = error as Error;
    const reason = message.startsWith('Unexpected') ? 'it is not written as EventStoreDB documents it' : message;
    throw new Error(`LOG_URL: ${reason}`);
  }
}

/**
 * Three things of the client 6.2.1 that a server cannot live with. (1) Its batched append has no deadline of its own, and
 * keeps who waits in one table for all clients of the process: an answer after any client's error ends the process. So
 * it is told that the server has no batched append; the plain one has neither fault. (2) What it does after an error is
 * not awaited: when finding a node of the cluster then fails, the unhandled rejection ends the process. (3) What it does is
 * to close the connection, and other calls that are under way on it wait for ever: `onReconnect` ends their waiting.
 */
function hardened(client: EventStoreDBClient, onReconnect: () => void): EventStoreDBClient {
  const inside = client as unknown as ClientInside;
  const handleError = inside.handleError.bind(inside);
  const givenUp = new WeakSet<object>();
  inside.supports = () => Promise.resolve(false);
  inside.handleError = async (grpcClient, error) => {
    const channel = grpcClient.getChannel();
    await handleError(grpcClient, error).catch(() => undefined);
    if (inside.shouldReconnect(error)[0] !== true || givenUp.has(channel)) return;
    givenUp.add(channel);
    onReconnect();
  };
  return client;
}

/** `dispose` ends streams and leaves the connection open. */
async function hangUp(client: EventStoreDBClient): Promise<void> {
  (await (client as unknown as ClientInside).getChannel()).close();
}

function whereabouts(event: AllStreamRecordedEvent): Followed {
  return { stream: event.streamId, revision: Number(event.revision), position: event.position };
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}
