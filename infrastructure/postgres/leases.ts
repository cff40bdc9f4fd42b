import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Lease, Leases } from '../../application/ports/leases.js';

/** How often one who stands by tries, and so how long a lease is nobody's at most once its holder's session has ended. */
const TRY_MS = 500;
/** How often a holder says that he lives. */
const HEARTBEAT_MS = 2_000;
const QUERY_TIMEOUT_MS = 5_000;
/** A holder that says nothing for so long was stopped or cut off: the server ends its session, and its leases are free. */
const SILENCE_MS = 10_000;
const SETTINGS = [
  `idle_session_timeout=${SILENCE_MS}`,
  'tcp_keepalives_idle=3',
  'tcp_keepalives_interval=2',
  'tcp_keepalives_count=3',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');
/** PostgreSQL cuts longer names of applications. */
const LONGEST_NAME = 63;
const APPLICATION = 'corebook leases of ';
const PORT_LENGTH = ' 65535'.length;

const KEY = `hashtextextended('lease of ' || n.name, 0)`;
const TRY = `select n.name from unnest($1::text[]) as n(name) where pg_try_advisory_lock(${KEY})`;
const RENAME = `select set_config('application_name', ($1::text[])[1], false)`;
const GIVE = `select pg_advisory_unlock(${KEY}) from unnest($1::text[]) as n(name)`;
const HOLDERS = `select n.name, a.application_name as holder, host(a.client_addr) as host
  from unnest($1::text[]) as n(name)
  join pg_locks l on l.locktype = 'advisory' and l.granted and l.objsubid = 1
                 and ((l.classid::bigint << 32) | l.objid::bigint) = ${KEY}
                 and l.database = (select oid from pg_database where datname = current_database())
  join pg_stat_activity a on a.pid = l.pid`;

/** A process as others see it. `port`: where it takes their commands. */
export interface Holder {
  readonly name: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** Leases as advisory locks of one session: they end with it, so a killed process gives them up by dying. */
export class PostgresLeases implements Leases {
  readonly self: string;
  readonly #url: string;
  readonly #onChange: (name: string, held: boolean) => void;
  readonly #entered = new Map<string, SessionLease>();
  readonly #stop = new AbortController();
  readonly #heard = new Map<string, (text: string) => void>();
  #session: Promise<pg.Client> | undefined;
  #current: pg.Client | undefined;
  #competing: Promise<void> | undefined;
  #port: number | undefined;
  #hurry = new AbortController();
  /** Somebody entered since the last round began. */
  #news = false;

  /** `self`: this process, for people; `onChange`: a lease was won or lost. */
  constructor(options: { url: string; self: string; onChange?: (name: string, held: boolean) => void }) {
    this.self = options.self.replaceAll(' ', '-').slice(0, LONGEST_NAME - APPLICATION.length - PORT_LENGTH);
    this.#url = options.url;
    this.#onChange = options.onChange ?? (() => undefined);
  }

  enter(name: string): Lease {
    if (this.#entered.has(name)) throw new Error(`lease ${name} was entered already`);
    const lease: SessionLease = new SessionLease(name, () => this.#leave(lease));
    this.#entered.set(name, lease);
    this.#news = true;
    this.#hurry.abort();
    this.#competing ??= this.#compete();
    return lease;
  }

  get entered(): readonly Lease[] {
    return [...this.#entered.values()];
  }

  async holders(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const holders = await this.#holders(names);
    return new Map([...holders].map(([lease, { name }]) => [lease, name]));
  }

  /** Takes the lease if it is free now, or tells who holds it; lost, it is not tried for again. */
  async claim(name: string): Promise<{ readonly lease: Lease } | { readonly lease?: never; readonly holder?: Holder }> {
    const known = this.#entered.get(name);
    if (known?.held === true) return { lease: known };
    const taken = await this.#query<{ name: string }>(TRY, [name]);
    if (taken.rows.length === 0) {
      const holder = (await this.#holders([name])).get(name);
      return holder === undefined ? {} : { holder };
    }
    const lease: SessionLease = new SessionLease(name, () => this.#leave(lease), true);
    this.#entered.set(name, lease);
    this.#competing ??= this.#compete();
    this.#changed(name, true);
    return { lease };
  }

  /** What other processes tell on this channel; what they tell while there is no session is not heard. Call it first. */
  listen(channel: string, hear: (text: string) => void): void {
    this.#heard.set(channel, hear);
    this.#competing ??= this.#compete();
  }

  /** Tells the other processes, if the database can be reached. */
  tell(channel: string, text: string): void {
    this.#query('select pg_notify(($1::text[])[1], ($1::text[])[2])', [channel, text]).catch(() => undefined);
  }

  /** From where PostgreSQL sees this process. */
  async localAddress(): Promise<string> {
    await this.#query('select $1::text[]', []);
    const { connection } = this.#current as pg.Client & { connection: { stream: Socket } };
    const { localAddress } = connection.stream;
    if (localAddress === undefined) throw new Error('the session with PostgreSQL is not over TCP');
    return localAddress;
  }

  /** Says to the others where this process takes commands. */
  async announce(port: number): Promise<void> {
    this.#port = port;
    await this.#query(RENAME, [this.#applicationName]);
  }

  get #applicationName(): string {
    return this.#port === undefined ? APPLICATION + this.self : `${APPLICATION}${this.self} ${this.#port}`;
  }

  async #holders(names: readonly string[]): Promise<Map<string, Holder>> {
    const { rows } = await this.#query<{ name: string; holder: string; host: string | null }>(HOLDERS, names);
    return new Map(
      rows.map(({ name: lease, holder, host }) => {
        const [name = '', port] = holder.slice(APPLICATION.length).split(' ');
        return [lease, { name, host: host ?? undefined, port: port === undefined ? undefined : Number(port) }];
      }),
    );
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the leases were given back'));
    this.#hurry.abort();
    await this.#competing;
    const session = await this.#session?.catch(() => undefined);
    this.#lost();
    await session?.end().catch(() => undefined);
  }

  async #compete(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // Those who enter one after another are one round.
      await setImmediate();
      this.#news = false;
      try {
        const wanted = [...this.#entered.values()].filter(({ held }) => !held).map(({ name }) => name);
        if (wanted.length > 0) await this.#try(wanted);
        else await this.#query('select $1::text[]', []);
      } catch {
        // The database is away, and what was held is lost: the session's end says so. Tried again.
      }
      await this.#pause([...this.#entered.values()].every(({ held }) => held) ? HEARTBEAT_MS : TRY_MS);
    }
  }

  async #try(names: readonly string[]): Promise<void> {
    const taken = await this.#query<{ name: string }>(TRY, names);
    for (const { name } of taken.rows) this.#changed(name, true);
    const others = names.filter((name) => this.#entered.get(name)?.held === false);
    if (others.length === 0) return;
    const holders = await this.holders(others);
    for (const name of others) {
      const lease = this.#entered.get(name);
      if (lease !== undefined) lease.holder = holders.get(name);
    }
  }

  async #leave(lease: SessionLease): Promise<void> {
    this.#entered.delete(lease.name);
    if (!lease.held) return;
    lease.held = false;
    this.#onChange(lease.name, false);
    // If this fails the session is gone, and the lease with it.
    await this.#query(GIVE, [lease.name]).catch(() => undefined);
  }

  #changed(name: string, held: boolean): void {
    const lease = this.#entered.get(name);
    if (lease === undefined || lease.held === held) return;
    lease.become(held);
    if (!held && lease.isOnce) this.#entered.delete(name);
    this.#onChange(name, held);
  }

  #lost(): void {
    for (const name of [...this.#entered.keys()]) this.#changed(name, false);
  }

  async #query<R extends pg.QueryResultRow>(text: string, names: readonly string[]): Promise<pg.QueryResult<R>> {
    this.#session ??= this.#connect();
    const session = this.#session;
    const client = await session;
    try {
      return await client.query<R>(text, [names]);
    } catch (error) {
      // Whatever it was: with a session of unknown state goes what it held.
      if (this.#session === session) this.#drop(client);
      throw error;
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: this.#applicationName,
      options: SETTINGS,
      query_timeout: QUERY_TIMEOUT_MS,
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    try {
      await client.connect();
      client.on('notification', ({ channel, processId, payload }) => {
        if (processId !== ownProcess(client)) this.#heard.get(channel)?.(payload ?? '');
      });
      for (const channel of this.#heard.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      // Who claims need not wait for who competes.
      (client as pg.Client & { pipeline: boolean }).pipeline = true;
      this.#current = client;
      return client;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }

  #drop(client: pg.Client): void {
    if (this.#current !== client) return;
    this.#current = undefined;
    this.#session = undefined;
    this.#lost();
    void client.end().catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    const hurry = new AbortController();
    this.#hurry = hurry;
    if (this.#stop.signal.aborted || this.#news) return;
    await sleep(ms, undefined, { signal: hurry.signal }).catch(() => undefined);
  }
}

function ownProcess(client: pg.Client): number {
  return (client as pg.Client & { processID: number }).processID;
}

class SessionLease implements Lease {
  held = false;
  holder: string | undefined;
  #waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly leave: () => Promise<void>,
    /** Not tried for again when it is lost. */
    readonly isOnce = false,
  ) {}

  become(held: boolean): void {
    this.held = held;
    this.holder = undefined;
    if (!held) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  untilHeld(signal: AbortSignal): Promise<void> {
    if (this.held) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        this.#waiting.delete(wake);
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      this.#waiting.add(wake);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
