/**
 * The fake of EventStoreDB, driven by the real client. With EVENTSTORE_URL the part that needs no fault runs against that
 * server instead, which shows whether the fake tells the truth.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  type EventData,
  EventStoreDBClient,
  FOLLOWER,
  NO_STREAM,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  WrongExpectedVersionError,
  jsonEvent,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { type Test, test } from 'tap';
import { startEventStoreFakeCluster } from '../support/eventstore-fake/cluster.js';
import { type EventStoreFake, type FakeOptions, startEventStoreFake } from '../support/eventstore-fake/fake.js';
import { FakeStore } from '../support/eventstore-fake/store.js';
import { testCertificate } from '../support/eventstore-fake/test-certificate.js';
import { eventually, refused } from '../support/eventually.js';
import { repositoryRoot } from '../support/repository.js';
import { eventStoreProtocolSuite } from './eventstore-protocol-suite.js';

const realServer = process.env['EVENTSTORE_URL'];
const skip = realServer === undefined ? false : 'faults are the fake’s alone';

const event = (): EventData => jsonEvent({ id: randomUUID(), type: 'tested', data: {} });

async function fakeOf(t: Test, options: FakeOptions = {}): Promise<EventStoreFake> {
  const fake = await startEventStoreFake(options);
  t.teardown(() => fake.stop());
  return fake;
}

function clientOf(t: Test, url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  t.teardown(() => client.dispose());
  return client;
}

const countOf = async (client: EventStoreDBClient, stream: string): Promise<number> => {
  let count = 0;
  for await (const read of client.readStream(stream)) count += read.event === undefined ? 0 : 1;
  return count;
};

/** Whoever cannot even ask what the server can do gets the error of gRPC, which is none of the client's. */
async function unreachable(work: Promise<unknown>): Promise<void> {
  const error = await refused(work, Error);
  if (!('code' in error) || error.code !== status.UNAVAILABLE) throw error;
}

test('protocol', async (t) => {
  const fake = realServer === undefined ? await fakeOf(t) : undefined;
  t.comment(fake === undefined ? 'against a REAL server, EVENTSTORE_URL' : 'against the FAKE');
  await eventStoreProtocolSuite(t, fake?.url ?? `${realServer}`);
});

test('server features decide which append the client takes', { skip }, async (t) => {
  const batched = async (version: string): Promise<boolean> => {
    const fake = await fakeOf(t, { version });
    const client = clientOf(t, fake.url);
    t.ok((await client.appendToStream('s', event())).success);
    // Only an append by itself answers the fault with an error of the call; a batched one keeps its status.
    fake.faults.timeOutLost();
    const error = await refused(client.appendToStream('s', event()), Error);
    t.equal(fake.store.events('s').length, 1);
    return error instanceof DeadlineExceededError;
  };
  t.equal(await batched('24.10.0'), true);
  t.equal(await batched('20.10.0'), false);
  t.equal(await batched('unimplemented'), false);
});

for (const version of ['24.10.0', '20.10.0']) {
  test(`faults of appends, ${version === '24.10.0' ? 'batched' : 'streaming'}`, { skip }, async (t) => {
    const { store, faults, url } = await fakeOf(t, { version });
    const client = clientOf(t, url);
    const batched = version === '24.10.0';
    const append = (stream: string, ...events: EventData[]): ReturnType<EventStoreDBClient['appendToStream']> =>
      client.appendToStream(stream, events, { expectedRevision: NO_STREAM, deadline: 400 });

    await t.test('the connection goes', async (t) => {
      const proposed = event();
      faults.dropBeforeAppend();
      await refused(append('dropped', proposed), UnavailableError);
      t.equal(store.events('dropped').length, 0, 'before it is stored');
      faults.dropAfterAppend();
      await refused(append('dropped', proposed), UnavailableError);
      const [stored] = store.events('dropped');
      t.ok(stored, 'after it is stored');
      const repeated = await append('dropped', proposed);
      t.match(repeated, { success: true, nextExpectedRevision: 0n, position: { commit: stored?.position } });
      t.equal(store.events('dropped').length, 1, 'and the same append again is the same append');
    });

    await t.test('time-outs of the server', async (t) => {
      const kind: new () => DeadlineExceededError | TimeoutError = batched ? DeadlineExceededError : TimeoutError;
      faults.timeOutLost();
      await refused(append('lost', event()), kind);
      t.equal(store.events('lost').length, 0);
      faults.timeOutKept();
      await refused(append('kept', event()), kind);
      t.equal(store.events('kept').length, 1);
    });

    await t.test('wrong version though right, delay, not ready', async (t) => {
      faults.wrongVersion();
      const error = await refused(append('right', event()), WrongExpectedVersionError);
      t.equal(error.actualVersion, 'no_stream');
      t.equal(store.events('right').length, 0);
      faults.delayAppend(80);
      const start = Date.now();
      await append('right', event());
      t.ok(Date.now() - start >= 75);
      faults.unavailable(2);
      faults.clear();
      await append('cleared', event());
      if (batched) return; // A batched append goes through the gate once, with the call that all of them share.
      faults.unavailable(2);
      await refused(append('later', event()), UnavailableError);
      await refused(append('later', event()), UnavailableError);
      await append('later', event());
      t.equal(faults.struck('unavailable'), 2);
    });

    await t.test('no answer', async (t) => {
      faults.silentAppend();
      const waiting = append('silent', event());
      const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), 800));
      const outcome = await Promise.race([waiting.catch((error: unknown) => error), late]);
      t.equal(store.events('silent').length, 1);
      if (batched) t.equal(outcome, 'late', 'the client’s deadline is not its own: a batched append waits for ever');
      else t.type(outcome, DeadlineExceededError);
    });
  });
}

test('faults of reads and subscriptions', { skip }, async (t) => {
  const { store, faults, url, endpoint } = await fakeOf(t);
  const client = clientOf(t, url);
  await client.appendToStream('s', [event(), event(), event()]);
  const follow = (): { seen: Array<bigint | undefined>; heard: string[]; ended: Promise<unknown> } => {
    const seen: Array<bigint | undefined> = [];
    const heard: string[] = [];
    const subscription = client.subscribeToStream('s');
    for (const name of ['caughtUp', 'fellBehind']) {
      (subscription as NodeJS.EventEmitter).on(name, () => heard.push(name));
    }
    subscription.on('data', (resolved) => seen.push(resolved.event?.revision));
    const ended = new Promise((resolve) => subscription.on('error', resolve).on('end', () => resolve('end')));
    return { seen, heard, ended };
  };

  await t.test('a read loses its connection', async (t) => {
    faults.dropRead();
    await refused(countOf(client, 's'), UnavailableError);
    faults.unavailable();
    await refused(countOf(client, 's'), UnavailableError);
    t.equal(await countOf(client, 's'), 3);
  });

  await t.test('subscriptions end, each in its way', async (t) => {
    const endings = [
      ['ended', 'end'],
      ['unavailable', UnavailableError],
      ['cancelled', CancelledError],
      ['too-slow', TimeoutError],
      ['connection', UnavailableError],
    ] as const;
    for (const [how, expected] of endings) {
      faults.endSubscription(how, 1, 2);
      const { seen, ended } = follow();
      const outcome = await ended;
      if (expected === 'end') t.equal(outcome, expected);
      else t.type(outcome, expected, how);
      // What was sent and not yet received goes with a connection.
      t.same(seen, how === 'connection' ? [0n, 1n].slice(0, seen.length) : [0n, 1n], 'after two events');
    }
    const idle = follow();
    await eventually(() => idle.heard.length === 1);
    faults.endSubscription();
    t.equal(await idle.ended, 'end', 'one that sleeps is woken');
  });

  await t.test('twice, and behind', async (t) => {
    faults.duplicateEvent();
    const { seen, heard } = follow();
    await eventually(() => heard.length === 1);
    t.same(seen, [0n, 0n, 1n, 2n]);
    faults.fallBehind();
    await eventually(() => heard.length === 3);
    t.same(heard, ['caughtUp', 'fellBehind', 'caughtUp']);
    store.append('s', 'any', [
      {
        id: randomUUID(),
        type: 't',
        contentType: 'application/json',
        data: Buffer.from('{}'),
        metadata: Buffer.alloc(0),
      },
    ]);
    await eventually(() => seen.length === 5);
    t.equal(seen.at(-1), 3n, 'and it goes on');
  });

  await t.test('not the leader', async (t) => {
    faults.notLeader(1, { host: endpoint.host, port: endpoint.port });
    const error = await refused(countOf(client, 's'), NotLeaderError);
    t.same(error.leader, { address: endpoint.host, port: endpoint.port });
    t.equal(await countOf(client, 's'), 4, 'the client goes to the node that was named');
  });
});

test('a large read waits for a slow reader', { skip }, async (t) => {
  const { url } = await fakeOf(t);
  const client = clientOf(t, url);
  const data = { text: 'x'.repeat(10_000) };
  for (let round = 0; round < 4; round += 1) {
    await client.appendToStream(
      'big',
      Array.from({ length: 90 }, () => jsonEvent({ type: 'big', data })),
    );
  }
  t.equal(await countOf(client, 'big'), 360);
});

test('restart: the same port and store, whoever waits is told', { skip }, async (t) => {
  const fake = await fakeOf(t);
  const client = clientOf(t, fake.url);
  const { url } = fake;
  await client.appendToStream('s', event());
  const ended = new Promise((resolve) => client.subscribeToStream('s').on('error', resolve).resume());
  await fake.stop();
  t.type(await ended, UnavailableError);
  await unreachable(client.appendToStream('s', event()));
  await fake.start();
  t.equal(fake.url, url);
  await client.appendToStream('s', event());
  await fake.restart();
  // Clients of one process share a connection, and take a moment to see that it is gone.
  const isBack = (): Promise<boolean> =>
    countOf(clientOf(t, url), 's').then(
      (count) => count === 2,
      () => false,
    );
  await eventually(isBack);
  t.equal(fake.store.log().length, 2);
});

test('users and TLS', { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'corebook-fake-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, testCertificate.cert);
  const fake = await fakeOf(t, { tls: testCertificate, users: { admin: 'change:it' } });
  const as = (who: string, ca = `&tlsCAFile=${caFile}`): EventStoreDBClient =>
    clientOf(t, `esdb://${who}localhost:${fake.endpoint.port}?tls=true${ca}`);

  t.ok((await as('admin:change%3Ait@').appendToStream('s', event())).success);
  t.equal(await countOf(as('admin:change%3Ait@'), 's'), 1);
  for (const who of ['admin:wrong@', 'nobody:change%3Ait@', '']) {
    const client = as(who);
    await refused(client.appendToStream('s', event()), AccessDeniedError);
    await refused(countOf(client, 's'), AccessDeniedError);
  }
  const options = { credentials: { username: 'admin', password: 'change:it' } };
  t.ok((await as('').appendToStream('s', event(), options)).success, 'credentials of a call');
  await unreachable(as('admin:change%3Ait@', '').appendToStream('s', event()));
  t.equal(fake.store.events('s').length, 2);
});

test('cluster', { skip }, async (t) => {
  const cluster = await startEventStoreFakeCluster();
  t.teardown(() => cluster.stop());
  const [first, second, third] = cluster.nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
  const client = clientOf(t, cluster.url);
  const leading = { requiresLeader: true };
  t.ok((await client.appendToStream('s', event(), leading)).success, 'gossip leads to the leader');

  await t.test('a follower sends to the leader who asks for it', async (t) => {
    const following = clientOf(t, `${cluster.url}&nodePreference=${FOLLOWER}`);
    t.ok((await following.appendToStream('s', event())).success, 'without asking it passes the append on');
    const other = clientOf(t, second.url);
    const error = await refused(other.appendToStream('s', event(), leading), NotLeaderError);
    t.equal(error.leader.port, first.endpoint.port);
    t.ok((await other.appendToStream('s', event(), leading)).success, 'and the client follows');
    const reading = clientOf(t, third.url);
    const read = async (): Promise<void> => {
      for await (const resolved of reading.readStream('s', leading)) t.ok(resolved.event);
    };
    await refused(read(), NotLeaderError);
  });

  await t.test('the leader dies, another is elected', async (t) => {
    await first.stop();
    const late = clientOf(t, `${cluster.url}&maxDiscoverAttempts=1`);
    await refused(late.appendToStream('s', event(), leading), UnavailableError);
    cluster.elect(third);
    t.ok((await client.appendToStream('s', event(), leading)).success, 'the client asks again and finds it');
    t.equal(cluster.leader, third);
    t.equal(cluster.store.events('s').length, 4);
  });
});

test('a process of its own keeps what it answered', { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'corebook-fake-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'log');
  const script = join(repositoryRoot, 'tests/support/eventstore-fake/serve.ts');
  const start = async (port = 0): Promise<{ server: ChildProcess; url: string }> => {
    const tsx = ['--import', 'tsx', script, '--port', `${port}`, '--file', file];
    const server = spawn(process.execPath, tsx, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => server.kill('SIGKILL'));
    const [chunk] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return { server, url: chunk.toString('utf8').trim() };
  };
  const first = await start();
  const client = clientOf(t, first.url);
  const proposed = [event(), event()];
  const answer = await client.appendToStream('s', proposed, { expectedRevision: NO_STREAM });
  first.server.kill('SIGKILL');
  await once(first.server, 'exit');
  await writeFile(file, '[{"id":"half a li', { flag: 'a' });

  const second = await start(Number.parseInt(/:(\d+)\?/.exec(first.url)?.[1] ?? '', 10));
  t.equal(second.url, first.url);
  const after = clientOf(t, second.url);
  t.same(await after.appendToStream('s', proposed, { expectedRevision: NO_STREAM }), answer, 'also the ids');
  const next = await after.appendToStream('s', event(), { expectedRevision: 1n });
  t.ok((next.position?.commit ?? 0n) > (answer.position?.commit ?? 0n));
  second.server.kill('SIGTERM');
  const [code] = (await once(second.server, 'exit')) as [number];
  t.equal(code, 0);
  const kept = new FakeStore(file);
  t.equal(kept.events('s').length, 3, 'the half line is gone');
  kept.close();
});
