/**
 * The log in EventStoreDB: the contract of every log, a crowd in stormy weather, and what only this one can be asked.
 * Against the FAKE of tests/support/eventstore-fake, or, with EVENTSTORE_URL=esdb://…, against that real server (then
 * without the faults that only a fake can have).
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import tap, { type Test, test } from 'tap';
import { AppendRejected, type EventLog, type SealedEvent } from '../../application/ports/event-log.js';
import { isChained } from '../../application/processor/seal.js';
import { EventStoreConnection } from '../../infrastructure/eventstoredb/connection.js';
import { toEventData } from '../../infrastructure/eventstoredb/event-body.js';
import { EventStoreEventLog } from '../../infrastructure/eventstoredb/event-log.js';
import { LogDiverged, LogUnavailable } from '../../infrastructure/eventstoredb/failures.js';
import { LogFollower } from '../../infrastructure/eventstoredb/follower.js';
import { moveLog } from '../../infrastructure/eventstoredb/move-log.js';
import type { Database } from '../../infrastructure/postgres/database.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { startEventStoreFakeCluster } from '../support/eventstore-fake/cluster.js';
import { type EventStoreFake, startEventStoreFake } from '../support/eventstore-fake/fake.js';
import { testCertificate } from '../support/eventstore-fake/test-certificate.js';
import type { Random } from '../support/random.js';
import { EMPTY, type ChainEnd, appendAtEnd, collect, endOf, sealAfter, some } from '../support/sealing.js';
import { openTestDatabase } from '../support/test-database.js';
import { crowdSuite } from './crowd-suite.js';
import { eventLogSuite } from './event-log-suite.js';

const REAL = process.env['EVENTSTORE_URL'];
const ONLY_FAKE = REAL === undefined ? false : 'a real server has no faults to order';

tap.setTimeout(300_000);
tap.comment(REAL === undefined ? 'against the fake' : 'against the real server of EVENTSTORE_URL');

const shared = await openTestDatabase(tap);

/** A server, a database, and logs on both: all gone with the test. */
class World {
  readonly prefix = `corebook_test-${randomUUID()}-`;
  readonly logs: EventLog[] = [];

  private constructor(
    readonly t: Test,
    /** Only there when it is the fake. */
    readonly fake: EventStoreFake,
    readonly url: string,
    readonly urls: { readonly core: string; readonly owner: string },
  ) {}

  /** On the database that most of these tests share, or on a new one. */
  static async open(t: Test, database: Pick<Database, 'urls'> = shared): Promise<World> {
    const { urls } = database;
    const fake = await startEventStoreFake({ maxAppendSize: 16 * 1024 * 1024 });
    const world = new World(t, fake, REAL ?? fake.url, urls);
    t.teardown(async () => {
      await Promise.all(world.logs.map((log) => log.close()));
      await fake.stop();
    });
    return world;
  }

  connect(url = this.url): EventStoreEventLog {
    const log = new EventStoreEventLog({ url, copyUrl: this.urls.core, readers: 1, prefix: this.prefix });
    this.logs.push(log);
    return log;
  }

  async open(url = this.url): Promise<EventStoreEventLog> {
    const log = this.connect(url);
    await log.open();
    return log;
  }

  async query(sql: string, values: unknown[] = []): Promise<Array<Record<string, unknown>>> {
    const client = new pg.Client({ connectionString: this.urls.owner });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** What an appender leaves that dies before it copies. */
  async orphan(tenantId: string, after: ChainEnd, events: readonly SealedEvent[]): Promise<void> {
    const connection = new EventStoreConnection(this.url);
    const sent = await connection.append(this.prefix + tenantId, after.revision, events.map(toEventData));
    await connection.close();
    if (sent !== 'appended') throw new Error(sent);
  }

  async copied(tenantId: string): Promise<number> {
    const [row] = await this.query('select count(*)::int as count from ledger.events where tenant_id = $1', [tenantId]);
    return (row as { count: number }).count;
  }
}

async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await condition()) return;
    await sleep(25);
  }
  throw new Error(`waited in vain: ${what}`);
}

test('the contract of every log', async (t) => {
  const world = await World.open(t);
  await world.open();
  await eventLogSuite(t, { connect: () => world.connect(), unstorable: { effectiveAt: '2026-02-30' } });
});

test('a crowd, in fair weather and in foul', async (t) => {
  const world = await World.open(t);
  await world.open();
  await t.test('fair', (t) => crowdSuite(t, { connect: () => world.connect() }));
  await t.test('foul', { skip: ONLY_FAKE }, async (t) => {
    const { faults } = world.fake;
    const kinds = [
      'drop-before-append',
      'drop-after-append',
      'wrong-version',
      'time-out-lost',
      'time-out-kept',
    ] as const;
    const strike = (random: Random): void => {
      random.pick([
        () => faults.dropBeforeAppend(),
        () => faults.dropAfterAppend(),
        () => faults.wrongVersion(),
        () => faults.timeOutLost(),
        () => faults.timeOutKept(),
        () => faults.unavailable(2),
        () => faults.notLeader(),
        () => faults.dropRead(),
        () => faults.delayAppend(30),
        () => faults.delayRead(30),
      ])();
    };
    await crowdSuite(t, { connect: () => world.connect(), strike });
    for (const kind of kinds) t.ok(faults.struck(kind) > 0, `${kind}: ${faults.struck(kind)} times`);
  });
});

test('what lies in the streams', async (t) => {
  const world = await World.open(t);
  const log = await world.open();
  const tenant = randomUUID();
  const data = { amount: '12.50', note: 'na\u00efve \u{1f4b0}', nested: { z: 1, a: [null, true] } };
  const keyId = randomUUID();
  const [event] = (await appendAtEnd(log, tenant, [{ data, tags: ['account:1', 'tenant:2'], keyId }])) as [SealedEvent];
  const connection = new EventStoreConnection(world.url);
  t.teardown(() => connection.close());
  const recorded = await connection.last(world.prefix + tenant);
  t.match(recorded, { id: event.id, type: event.type, isJson: true, data, revision: 0n });
  t.strictSame(recorded?.metadata, {
    ...{ version: 1, recordedAt: event.recordedAt, effectiveAt: event.effectiveAt, tags: 'account:1 tenant:2' },
    ...{ hash: event.hash, meta: event.metaText, keyId },
  });
});

test('an append of which the answer is lost is found, and not doubled', { skip: ONLY_FAKE }, async (t) => {
  const world = await World.open(t);
  const { faults } = world.fake;
  for (const fault of [() => faults.dropAfterAppend(), () => faults.timeOutKept()]) {
    const log = await world.open();
    const tenant = randomUUID();
    const before = await appendAtEnd(log, tenant, some(2));
    const end = endOf(EMPTY, before);
    const batch = sealAfter(tenant, end, some(3, { keyId: undefined as never }));
    fault();
    await t.rejects(log.append(tenant, 1, batch), 'the outcome is open');
    t.equal(await world.copied(tenant), 2, 'not copied yet');
    t.match(await log.append(tenant, 1, batch), { status: 'appended', lastRevision: 4 });
    t.match(await (await world.open()).append(tenant, 1, batch), { status: 'appended', lastRevision: 4 });
    t.equal((await collect(log.read(tenant))).length, 5);
    t.equal(world.fake.store.events(world.prefix + tenant).length, 5);
  }
});

test('what an appender did not live to copy', async (t) => {
  const world = await World.open(t);
  const log = await world.open();

  await t.test('is copied by whoever asks for the end', async (t) => {
    for (const ask of [
      (other: EventLog, tenant: string) => other.head(tenant),
      (other: EventLog, tenant: string) => collect(other.read(tenant)),
      (other: EventLog, tenant: string) => appendAtEnd(other, tenant, some(1)),
    ]) {
      const tenant = randomUUID();
      const first = await appendAtEnd(log, tenant, some(1));
      const end = endOf(EMPTY, first);
      const lost = sealAfter(tenant, end, some(1_200));
      await world.orphan(tenant, end, lost);
      const other = world.connect();
      await ask(other, tenant);
      t.ok((await world.copied(tenant)) >= 1_201);
      const events = await collect(other.read(tenant));
      t.ok(events.every((event, i) => isChained(events[i - 1]?.hash ?? EMPTY.hash, event)));
      t.same(await log.head(tenant), await other.head(tenant), 'who did not know it knows it now');
    }
  });

  await t.test('and a stale appender gets a conflict, or his own events', async (t) => {
    const tenant = randomUUID();
    const end = endOf(EMPTY, await appendAtEnd(log, tenant, some(1)));
    const lost = sealAfter(tenant, end, some(2));
    await world.orphan(tenant, end, lost);
    t.match(await log.append(tenant, 0, sealAfter(tenant, end, some(1))), { status: 'conflict', revision: 2 });
    t.match(await log.append(tenant, 0, lost), { status: 'appended', lastRevision: 2 });
  });

  await t.test('its keys are taken', async (t) => {
    const tenant = randomUUID();
    const keyId = randomUUID();
    const end = endOf(EMPTY, await appendAtEnd(log, tenant, some(1)));
    const lost = sealAfter(tenant, end, [{ keyId }]);
    await world.orphan(tenant, end, lost);
    const after = sealAfter(tenant, endOf(end, lost), [{ keyId }]);
    t.same(await log.append(tenant, 1, after), { status: 'keys-taken', keyIds: [keyId] });
  });
});

test('the follower', async (t) => {
  const world = await World.open(t);
  await world.query('update ledger.log_follower set commit_position = null, prepare_position = null');
  const log = await world.open();
  const follow = (on = log) => {
    const heard = { errors: [] as unknown[], copied: [] as string[] };
    const follower = new LogFollower({
      log: on,
      random: () => 0.5,
      onError: (error) => heard.errors.push(error),
      onCopied: (tenantId) => heard.copied.push(tenantId),
    });
    follower.start();
    t.teardown(() => follower.stop());
    return { follower, ...heard };
  };

  await t.test('copies what nobody asks for, tenants unknown here too, and nothing else', async (t) => {
    const { follower, copied, errors } = follow();
    const known = randomUUID();
    const unknown = randomUUID();
    const end = endOf(EMPTY, await appendAtEnd(log, known, some(3)));
    await world.orphan(known, end, sealAfter(known, end, some(2)));
    await world.orphan(unknown, EMPTY, sealAfter(unknown, EMPTY, some(4)));
    await until(async () => (await world.copied(known)) === 5 && (await world.copied(unknown)) === 4, 'copies');
    t.same([...copied].sort(), [known, unknown].sort());
    t.same(follower.health(), { ok: true });
    t.same(errors, []);
    await follower.stop();
  });

  await t.test('goes on where the last one stopped', async (t) => {
    const tenant = randomUUID();
    const events = await appendAtEnd(log, tenant, some(1));
    const first = follow();
    const at = async (): Promise<unknown> => (await world.query('select commit_position from ledger.log_follower'))[0];
    const before = await at();
    await appendAtEnd(log, tenant, some(1));
    await until(async () => JSON.stringify(await at()) !== JSON.stringify(before), 'a stored position');
    await first.follower.stop();
    const end = { ...(await log.head(tenant)) };
    await world.orphan(tenant, end, sealAfter(tenant, end, some(1)));
    const second = follow();
    await until(async () => (await world.copied(tenant)) === events.length + 2, 'the copy');
    t.same(second.copied, [tenant]);
    await second.follower.stop();
  });

  await t.test('subscribes again when its subscription breaks', { skip: ONLY_FAKE }, async (t) => {
    const { faults } = world.fake;
    const { follower, errors } = follow();
    const first = randomUUID();
    await world.orphan(first, EMPTY, sealAfter(first, EMPTY, some(1)));
    await until(async () => (await world.copied(first)) === 1, 'it follows');
    for (const how of ['ended', 'unavailable', 'cancelled', 'too-slow', 'connection'] as const) {
      const tenant = randomUUID();
      const failures = errors.length;
      faults.endSubscription(how);
      await world.orphan(tenant, EMPTY, sealAfter(tenant, EMPTY, some(2))).catch(() => undefined);
      await until(() => errors.length > failures, `${how} is noticed`);
      faults.duplicateEvent();
      if (world.fake.store.events(world.prefix + tenant).length === 0)
        await until(
          () =>
            world.orphan(tenant, EMPTY, sealAfter(tenant, EMPTY, some(2))).then(
              () => true,
              () => false,
            ),
          'the append',
        );
      await until(async () => (await world.copied(tenant)) === 2, `copied after ${how}`);
    }
    t.same(follower.health(), { ok: true });
    await follower.stop();
  });

  await t.test('survives the server’s restart', { skip: ONLY_FAKE }, async (t) => {
    const { follower, errors } = follow();
    const failures = errors.length;
    await world.fake.stop();
    t.match(await log.health(), { ok: false, detail: /cannot be reached|was lost/ });
    await t.rejects(appendAtEnd(log, randomUUID(), some(1)), LogUnavailable);
    await world.fake.start();
    const tenant = randomUUID();
    await until(
      () =>
        appendAtEnd(log, tenant, some(1)).then(
          () => true,
          () => false,
        ),
      'an append',
    );
    t.match(await log.health(), { ok: true });
    const end = await log.head(tenant);
    await world.orphan(tenant, end, sealAfter(tenant, end, some(1)));
    await until(async () => (await world.copied(tenant)) === 2, 'the copy');
    t.ok(errors.length > failures);
    await follower.stop();
  });

  await t.test('a stream that is not ours stops its tenant, says so, and no other', async (t) => {
    const { follower } = follow();
    const bad = randomUUID();
    const end = endOf(EMPTY, await appendAtEnd(log, bad, some(1)));
    const [forged] = sealAfter(bad, end, some(1)) as [SealedEvent];
    await world.orphan(bad, end, [{ ...forged, hash: 'f'.repeat(64) }]);
    await until(() => !follower.health().ok, 'the trouble is told');
    t.match(follower.health(), { ok: false, detail: new RegExp(`hash chain is broken at 1@.*${bad}`) });
    await t.rejects(log.head(bad), LogDiverged);
    await t.rejects(appendAtEnd(log, bad, some(1)), LogDiverged);
    const good = randomUUID();
    await world.orphan(good, EMPTY, sealAfter(good, EMPTY, some(1)));
    await until(async () => (await world.copied(good)) === 1, 'the others go on');
    t.equal(await world.copied(bad), 1);
    t.equal(follower.health().ok, false, 'still');
    await follower.stop();
  });
});

test('another event store than the copy’s', { skip: ONLY_FAKE }, async (t) => {
  const world = await World.open(t);
  const log = await world.open();
  const tenant = randomUUID();
  await appendAtEnd(log, tenant, some(3));
  const strange = await startEventStoreFake();
  t.teardown(() => strange.stop());
  const other = await world.open(strange.url);
  await t.rejects(other.head(tenant), { name: 'LogDiverged', message: /ends at -1, its copy at 2/ });
  await t.rejects(other.append(tenant, 2, sealAfter(tenant, await log.head(tenant), some(1))), LogDiverged);
  t.equal(strange.store.events(world.prefix + tenant).length, 0, 'nothing is written there');
});

test('errors in words', { skip: ONLY_FAKE }, async (t) => {
  const world = await World.open(t);
  const refusal = async (url: string): Promise<unknown> => {
    const log = world.connect(url);
    return log.open().then(
      () => 'open',
      (error: unknown) => error,
    );
  };
  await t.test('unreachable', async (t) => {
    t.match(await refusal('esdb://ops:secret@localhost:9?tls=false'), {
      ...{ name: 'LogUnavailable', reason: 'unreachable' },
      message: /^EventStoreDB at localhost:9 cannot be reached/,
    });
    t.match(await refusal('esdb://ops:secret@localhost:9,localhost:10?tls=false&maxDiscoverAttempts=2'), {
      ...{ reason: 'unreachable', message: /^EventStoreDB at localhost:9,localhost:10 cannot be reached/ },
    });
  });
  await t.test('silent', async (t) => {
    const log = await world.open();
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, some(1));
    world.fake.faults.delayRead(5_000);
    t.match(await log.health(), { ok: false, detail: /does not answer within 3 s/ });
    world.fake.faults.clear();
  });
  await t.test('too old', async (t) => {
    for (const version of ['20.10.2', '21.9.0', 'unimplemented']) {
      const old = await startEventStoreFake({ version });
      t.match(await refusal(old.url), { reason: 'too-old', message: /is too old/ }, version);
      await old.stop();
    }
    const young = await startEventStoreFake({ version: '21.10.0' });
    t.equal(await refusal(young.url), 'open');
    await young.stop();
  });
  await t.test('not an address', (t) => {
    t.throws(() => world.connect('esdb://ops:secret@a:b?tls=false'), { message: /^LOG_URL: (?!.*secret)/ });
    t.throws(() => world.connect('esdb://a:1?tlsCAFile=/nowhere'), { message: /^LOG_URL: .*certificate/ });
    t.end();
  });
  await t.test('an append larger than the server takes', async (t) => {
    const small = await startEventStoreFake();
    t.teardown(() => small.stop());
    const log = await world.open(small.url);
    const tenant = randomUUID();
    await t.rejects(appendAtEnd(log, tenant, [{ data: { text: 'x'.repeat(1_100_000) } }]), AppendRejected);
    t.equal((await log.head(tenant)).revision, -1);
    t.equal((await appendAtEnd(log, tenant, some(1))).length, 1);
  });
});

test('TLS and credentials', { skip: ONLY_FAKE }, async (t) => {
  const world = await World.open(t);
  const fake = await startEventStoreFake({ tls: testCertificate, users: { admin: 'change:it' } });
  const directory = await mkdtemp(join(tmpdir(), 'corebook-ca-'));
  t.teardown(async () => {
    await fake.stop();
    await rm(directory, { recursive: true });
  });
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, testCertificate.cert);
  const address = (who: string, ca: string): string => `esdb://${who}localhost:${fake.endpoint.port}?tls=true${ca}`;
  const trusting = `&tlsCAFile=${caFile}`;

  const log = await world.open(address('admin:change%3Ait@', trusting));
  const tenant = randomUUID();
  await appendAtEnd(log, tenant, some(2));
  t.equal((await log.head(tenant)).revision, 1);
  t.same(await log.health(), { ok: true });
  for (const who of ['admin:wrong@', '']) {
    const stranger = world.connect(address(who, trusting));
    const unauthorised = { name: 'LogUnavailable', reason: 'unauthorised', message: /refuses the credentials/ };
    await t.rejects(stranger.open(), unauthorised);
    await t.rejects(appendAtEnd(stranger, tenant, some(1)), unauthorised);
    t.match(await stranger.health(), { ok: false, detail: /refuses the credentials/ });
  }
  await t.rejects(world.connect(address('admin:change%3Ait@', '')).open(), {
    name: 'LogUnavailable',
    message: /cannot be reached/,
  });
  t.equal((await log.head(tenant)).revision, 1);
});

test('a cluster whose leader changes', { skip: ONLY_FAKE }, async (t) => {
  const cluster = await startEventStoreFakeCluster();
  t.teardown(() => cluster.stop());
  const world = await World.open(t);
  const log = await world.open(`${cluster.url}&maxDiscoverAttempts=3`);
  const tenant = randomUUID();
  let length = 0;
  const append = async (): Promise<boolean> => {
    const end = await log.head(tenant).catch(() => undefined);
    if (end === undefined) return false;
    const batch = sealAfter(tenant, end, some(1));
    // As the writer does: the same batch until its outcome is known.
    for (let tries = 0; tries < 40; tries += 1) {
      const result = await log.append(tenant, end.revision, batch).catch(() => undefined);
      if (result?.status === 'appended') return (length += 1) > 0;
      await sleep(25);
    }
    return false;
  };
  for (const leader of [1, 2, 0, 1]) {
    await until(append, 'an append');
    cluster.elect(cluster.nodes[leader] as EventStoreFake);
    await until(append, 'an append by the new leader');
  }
  const [first, second] = cluster.nodes as [EventStoreFake, EventStoreFake];
  await second.stop();
  t.equal(await log.health().then(({ ok }) => ok), false, 'without a leader');
  cluster.elect(first);
  await until(append, 'an append after the leader died');
  t.equal((await collect(log.read(tenant))).length, length);
  t.equal(cluster.store.events(world.prefix + tenant).length, length, 'nothing twice');
});

test('the database knows where its log is at home', async (t) => {
  const world = await World.open(t, await openTestDatabase(t));
  const here = new PostgresEventLog({ url: world.urls.core, readers: 1 });
  world.logs.push(here);
  await here.claim();
  await appendAtEnd(here, randomUUID(), some(1));
  const there = world.connect();
  await t.rejects(there.open(), /kept in postgres, not in eventstoredb/);
  await t.rejects(appendAtEnd(there, randomUUID(), some(1)), /kept in postgres/);
  t.match(await there.health(), { ok: false, detail: /kept in postgres/ });
  t.match(await here.health(), { ok: true });

  const empty = await World.open(t, await openTestDatabase(t));
  await empty.open();
  const wrong = new PostgresEventLog({ url: empty.urls.core, readers: 1 });
  empty.logs.push(wrong);
  await appendAtEnd(empty.connect(), randomUUID(), some(1));
  await t.rejects(wrong.claim(), /kept in eventstoredb, not in postgres/);
  await t.rejects(appendAtEnd(wrong, randomUUID(), some(1)), /kept in eventstoredb/);
  t.match(await wrong.health(), { ok: false, detail: /kept in eventstoredb/ });
});

test('moving the log', async (t) => {
  const world = await World.open(t, await openTestDatabase(t));
  const { urls, url, prefix } = world;
  const options = { eventStoreUrl: url, urls, prefix, force: false };
  const tenants = [randomUUID(), randomUUID(), randomUUID()];
  const postgres = async <T>(work: (log: PostgresEventLog) => Promise<T>): Promise<T> => {
    const log = new PostgresEventLog({ url: urls.core, readers: 1 });
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  };
  const eventStore = async <T>(work: (log: EventStoreEventLog) => Promise<T>): Promise<T> => {
    const log = new EventStoreEventLog({ url, copyUrl: urls.core, readers: 1, prefix });
    try {
      await log.open();
      return await work(log);
    } finally {
      await log.close();
    }
  };
  const grow = async (log: EventLog): Promise<void> => {
    for (const [i, tenant] of tenants.entries()) {
      await appendAtEnd(log, tenant, some(300 * (i + 1), { data: { text: 'x'.repeat(300) } }));
      await appendAtEnd(log, tenant, [{ keyId: randomUUID(), tags: ['account:1'] }]);
    }
  };
  const all = (log: EventLog) => log.readAll({ after: '', limit: 100_000 });
  await postgres(grow);
  const before = await postgres(all);

  await t.test('not while somebody works here', async (t) => {
    await postgres(async (log) => {
      await log.lastPosition();
      await t.rejects(moveLog({ ...options, to: 'eventstoredb', onProgress: () => undefined }), /stop every process/);
    });
  });

  await t.test('interrupted, called off, begun again', { skip: ONLY_FAKE }, async (t) => {
    const seen: number[] = [];
    let broken = false;
    await t.rejects(
      moveLog({
        ...{ ...options, to: 'eventstoredb' as const },
        onProgress: ({ done }) => {
          seen.push(done);
          if (seen.length === 3) {
            broken = true;
            world.fake.faults.unavailable();
          }
        },
      }),
      LogUnavailable,
    );
    t.ok(broken);
    await t.rejects(
      postgres((log) => appendAtEnd(log, randomUUID(), some(1))),
      /kept in moving to eventstoredb/,
      'nobody appends meanwhile',
    );
    t.match(await moveLog({ ...options, to: 'postgres', onProgress: () => undefined }), { outcome: 'called off' });
    await postgres((log) => appendAtEnd(log, tenants[0] as string, some(1)));
    before.push(...(await postgres((log) => log.readAll({ after: String(before.length), limit: 10 }))));
  });

  await t.test('to the event store: every event, verified, the same positions', async (t) => {
    const progress: Array<{ done: number; of: number }> = [];
    const report = await moveLog({ ...options, to: 'eventstoredb', onProgress: (one) => progress.push(one) });
    t.match(report, { outcome: 'moved', home: 'eventstoredb', tenants: 3, verified: before.length });
    t.ok(REAL !== undefined || report.written < before.length, 'what stood there before was not written again');
    t.same(progress.at(-1), { done: 2 * before.length, of: 2 * before.length });
    await eventStore(async (log) => {
      t.strictSame(await all(log), before);
      for (const tenant of tenants) t.equal((await collect(log.read(tenant))).at(-1)?.tenantId, tenant);
      await grow(log);
    });
    t.match(await moveLog({ ...options, to: 'eventstoredb', onProgress: () => undefined }), {
      outcome: 'already there',
    });
  });

  await t.test('and back: what was not copied too', async (t) => {
    const during = await eventStore(all);
    t.ok(during.length > before.length);
    const stray = randomUUID();
    await world.orphan(stray, EMPTY, sealAfter(stray, EMPTY, some(2)));
    const end = await eventStore((log) => log.head(tenants[1] as string));
    await world.orphan(tenants[1] as string, end, sealAfter(tenants[1] as string, end, some(1)));
    const report = await moveLog({ ...options, to: 'postgres', onProgress: () => undefined });
    t.match(report, { outcome: 'moved', home: 'postgres', tenants: 4, written: 3, verified: during.length + 3 });
    await postgres(async (log) => {
      t.strictSame((await all(log)).slice(0, during.length), during);
      await grow(log);
    });
  });

  await t.test('to the event store again: from where it stood', async (t) => {
    const events = await postgres(all);
    const report = await moveLog({ ...options, to: 'eventstoredb', onProgress: () => undefined });
    t.match(report, { outcome: 'moved', written: 1_803, verified: events.length });
  });

  await t.test('an event store that lost its newest events gets them again', { skip: ONLY_FAKE }, async (t) => {
    const poorer = await startEventStoreFake();
    t.teardown(() => poorer.stop());
    const victim = tenants[0] as string;
    const events = await eventStore((log) => collect(log.read(victim)));
    const log = world.connect(poorer.url);
    await t.rejects(log.head(victim), LogDiverged);
    await log.close();
    const report = await moveLog({
      ...{ ...options, eventStoreUrl: poorer.url, to: 'eventstoredb' as const, repair: true },
      onProgress: () => undefined,
    });
    t.match(report, { outcome: 'moved', home: 'eventstoredb', verified: report.written });
    t.equal(poorer.store.events(prefix + victim).length, events.length);
  });

  await t.test('not into streams that tell another story', async (t) => {
    await moveLog({ ...options, to: 'postgres', onProgress: () => undefined });
    const victim = tenants[0] as string;
    const end = await postgres((log) => log.head(victim));
    await world.orphan(victim, end, sealAfter(victim, end, some(1)));
    await postgres((log) => appendAtEnd(log, victim, some(2)));
    await t.rejects(moveLog({ ...options, to: 'eventstoredb', onProgress: () => undefined }), LogDiverged);
    t.match(await moveLog({ ...options, to: 'postgres', onProgress: () => undefined }), { outcome: 'called off' });
  });
});
