import pg from 'pg';
import { type SealedEvent, type StoredEvent, GENESIS_HASH } from '../../application/ports/event-log.js';
import { isChained } from '../../application/processor/seal.js';
import type { LogHome } from '../postgres/append-connection.js';
import { PostgresEventLog } from '../postgres/event-log.js';
import { EventStoreConnection } from './connection.js';
import { fromRecorded, hashOf, toEventData } from './event-body.js';
import { EventStoreEventLog } from './event-log.js';
import { LogDiverged } from './failures.js';

export type MoveTarget = 'postgres' | 'eventstoredb';

export interface MoveOptions {
  readonly to: MoveTarget;
  readonly eventStoreUrl: string;
  readonly urls: { readonly owner: string; readonly core: string };
  /** Also when other processes of ours have the database open. They get errors until they are restarted. */
  readonly force: boolean;
  /** The log is at home in the event store, which has lost its newest events: they are written again from the copy. */
  readonly repair?: boolean;
  readonly onProgress: (progress: { readonly done: number; readonly of: number }) => void;
  /** See `EventStoreLogOptions`. */
  readonly prefix: string;
}

export interface MoveReport {
  readonly outcome: 'moved' | 'already there' | 'called off';
  readonly home: LogHome;
  readonly tenants: number;
  /** Events written where the log is at home now; those that stood there already are not counted. */
  readonly written: number;
  /** Events whose hash chain was verified where the log is at home now. */
  readonly verified: number;
}

/** Only this many events and characters in one append: far below the server's default of 1 MiB. */
const PAGE_EVENTS = 500;
const PAGE_CHARACTERS = 400_000;
const LOCK = 4_172_233_901;

/**
 * Moves the log of a whole database to another home. Positions stay, so read models go on as they are. May be
 * interrupted anywhere and run again: it goes on from where the streams end. Until it is done nobody else can append; a
 * move to the other side calls it off. Throws when the two sides tell different stories, or others are at work.
 */
export async function moveLog(options: MoveOptions): Promise<MoveReport> {
  const owner = new pg.Client({ connectionString: options.urls.owner, application_name: 'corebook-move' });
  await owner.connect();
  try {
    const { rows } = await owner.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [LOCK]);
    if (rows[0]?.locked !== true) throw new Error('the log is being moved by another process');
    return await move(owner, options);
  } finally {
    await owner.end();
  }
}

async function move(owner: pg.Client, options: MoveOptions): Promise<MoveReport> {
  const { to } = options;
  const home = await homeOf(owner);
  const nothing = { tenants: 0, written: 0, verified: 0 };
  if (home === to && !(options.repair === true && to === 'eventstoredb')) {
    return { outcome: 'already there', home, ...nothing };
  }
  if (home.startsWith('moving') && home !== `moving to ${to}`) {
    // Where it came from has everything: nobody could append since.
    await setHome(owner, home, to);
    return { outcome: 'called off', home: to, ...nothing };
  }
  if (!options.force) await nobodyElse(owner);
  const moving: LogHome = `moving to ${to}`;
  if (home !== moving) await setHome(owner, home, moving);
  const result = await (to === 'eventstoredb' ? toEventStore(options) : toPostgres(options));
  await setHome(owner, moving, to);
  return { outcome: 'moved', home: to, ...result };
}

type Moved = Pick<MoveReport, 'tenants' | 'written' | 'verified'>;

async function toEventStore({ eventStoreUrl, urls, onProgress, prefix }: MoveOptions): Promise<Moved> {
  const log = new PostgresEventLog({ url: urls.core, readers: 2 });
  const connection = new EventStoreConnection(eventStoreUrl);
  try {
    await connection.check(`${prefix}check`);
    const tenants = await log.tenants();
    const ends = await Promise.all(tenants.map((tenantId) => log.head(tenantId)));
    const of = 2 * ends.reduce((sum, { revision }) => sum + revision + 1, 0);
    let done = 0;
    const progress = (count: number): void => onProgress({ done: (done += count), of });
    let [written, verified] = [0, 0];
    for (const [i, tenantId] of tenants.entries()) {
      const stream = prefix + tenantId;
      const { count, had } = await writeStream(log, connection, tenantId, stream, progress);
      progress(had);
      written += count;
      verified += await verifyStream(connection, tenantId, stream, (ends[i] as { hash: string }).hash, progress);
    }
    return { tenants: tenants.length, written, verified };
  } finally {
    await connection.close();
    await log.close();
  }
}

/** Appends what the stream has not; answers how many events that was, and how many it had. */
async function writeStream(
  log: PostgresEventLog,
  connection: EventStoreConnection,
  tenantId: string,
  stream: string,
  progress: (count: number) => void,
): Promise<{ count: number; had: number }> {
  const last = await connection.last(stream);
  const had = last === undefined ? 0 : Number(last.revision) + 1;
  let previousHash = GENESIS_HASH;
  let revision = had - 1;
  if (last !== undefined) {
    previousHash = hashOf(last);
    const [same] = await collect(log.read(tenantId, { from: revision, to: revision }));
    if (same?.hash !== previousHash) throw new LogDiverged(`another event stands at ${revision}@${stream} than here`);
  }
  let page: SealedEvent[] = [];
  let size = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    if (page.length === 0) return;
    const sent = await connection.append(stream, revision, page.map(toEventData));
    if (sent === 'too-large') throw new Error(`an event of ${stream} is larger than MaxAppendSize of the event store`);
    if (sent === 'conflict') throw new LogDiverged(`somebody else appends to ${stream}`);
    revision += page.length;
    count += page.length;
    progress(page.length);
    page = [];
    size = 0;
  };
  for await (const event of log.read(tenantId, { from: had })) {
    if (!isChained(previousHash, event))
      throw new LogDiverged(`the hash chain is broken at ${event.revision}@${stream}`);
    const length = event.dataText.length + event.metaText.length;
    if (page.length >= PAGE_EVENTS || size + length > PAGE_CHARACTERS) await flush();
    page.push(sealedAgain(previousHash, event));
    size += length;
    previousHash = event.hash;
  }
  await flush();
  return { count, had };
}

function sealedAgain(previousHash: string, event: StoredEvent): SealedEvent {
  const { id, type, storedVersion, recordedAt, effectiveAt, tags, dataText, metaText, hash, keyId } = event;
  const sealed = {
    id,
    type,
    version: storedVersion,
    recordedAt,
    effectiveAt,
    tags,
    dataText,
    metaText,
    hash,
    previousHash,
  };
  return keyId === undefined ? sealed : { ...sealed, keyId };
}

/** Reads a stream from its beginning; throws unless it is one chain that ends in `hash`. Answers its events’ number. */
async function verifyStream(
  connection: EventStoreConnection,
  tenantId: string,
  stream: string,
  hash: string,
  progress: (count: number) => void,
): Promise<number> {
  let previousHash = GENESIS_HASH;
  let revision = 0;
  for (;;) {
    const page = await connection.page(stream, revision, PAGE_EVENTS);
    for (const recorded of page) {
      if (Number(recorded.revision) !== revision) throw new LogDiverged(`${revision}@${stream} is missing`);
      ({ hash: previousHash } = fromRecorded(tenantId, previousHash, recorded));
      revision += 1;
    }
    progress(page.length);
    if (page.length < PAGE_EVENTS) break;
  }
  if (previousHash !== hash) throw new LogDiverged(`${stream} does not end as the log here`);
  return revision;
}

async function toPostgres({ eventStoreUrl, urls, onProgress, prefix }: MoveOptions): Promise<Moved> {
  const log = new EventStoreEventLog({
    ...{ url: eventStoreUrl, copyUrl: urls.core, prefix, readers: 2 },
    home: 'moving to postgres',
  });
  const { copy } = log;
  try {
    // Tenants of which not even the first event was copied are known to the event store only.
    const strays = await log.connection.streamsAfter(prefix, await copy.followedTo());
    const tenants = [...new Set([...(await log.tenants()), ...strays.map((stream) => stream.slice(prefix.length))])];
    const before = await copy.ends(tenants);
    let [written, verified] = [0, 0];
    for (const [i, tenantId] of tenants.entries()) {
      const end = await log.head(tenantId); // Copies what is missing, and compares the ends.
      written += end.revision - (before.get(tenantId) ?? -1);
      let previousHash = GENESIS_HASH;
      for await (const event of log.read(tenantId, { to: end.revision })) {
        if (!isChained(previousHash, event))
          throw new LogDiverged(`the copy's chain is broken at ${event.revision}@${tenantId}`);
        previousHash = event.hash;
        verified += 1;
      }
      onProgress({ done: i + 1, of: tenants.length });
    }
    return { tenants: tenants.length, written, verified };
  } finally {
    await log.close();
  }
}

async function homeOf(owner: pg.Client): Promise<LogHome> {
  const { rows } = await owner.query<{ home: LogHome }>('select home from ledger.log_head');
  return (rows[0] as { home: LogHome }).home;
}

/** Waits for appends that are under way: they hold the row. */
async function setHome(owner: pg.Client, from: LogHome, to: LogHome): Promise<void> {
  const { rowCount } = await owner.query('update ledger.log_head set home = $2 where home = $1', [from, to]);
  if (rowCount !== 1) throw new Error(`the log is not at home in ${from} any more`);
}

async function nobodyElse(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ names: string[] | null }>(
    `select array_agg(distinct application_name) as names from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name like 'corebook%'`,
  );
  const names = rows[0]?.names ?? [];
  if (names.length > 0)
    throw new Error(`stop every process of Corebook first: the database is open for ${names.join(', ')}`);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
