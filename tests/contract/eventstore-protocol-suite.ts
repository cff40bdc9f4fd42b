/** What we count on of EventStoreDB, by the client we use: true of a real server, and so of the fake. */
import { randomUUID } from 'node:crypto';
import {
  ANY,
  BACKWARDS,
  END,
  type EventData,
  EventStoreDBClient,
  MaxAppendSizeExceededError,
  NO_STREAM,
  type Filter,
  type ResolvedEvent,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Test } from 'tap';
import { eventually, refused } from '../support/eventually.js';

type Path = 'batched append' | 'streaming append';
type Position = { readonly commit: bigint; readonly prepare: bigint };

const MAX_APPEND_SIZE = 1024 * 1024;
/** Credentials of a call make the client take the streaming append; without TLS it does not send them. */
const OF_A_CALL = { credentials: { username: 'admin', password: 'changeit' } };

const someEvents = (count: number, type = 'counted'): EventData[] =>
  Array.from({ length: count }, (_, n) => jsonEvent({ id: randomUUID(), type, data: { n } }));

const newStream = (prefix = 'suite'): string => `${prefix}-${randomUUID()}`;

async function collect(events: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const collected: ResolvedEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

const revisionsOf = (events: readonly ResolvedEvent[]): Array<bigint | undefined> =>
  events.map(({ event }) => event?.revision);

export async function eventStoreProtocolSuite(t: Test, url: string): Promise<void> {
  const client = EventStoreDBClient.connectionString(url);
  for (const path of ['batched append', 'streaming append'] as const) {
    await t.test(path, (t) => appendSuite(t, client, path));
  }
  await t.test('reads of a stream', (t) => readSuite(t, client));
  await t.test('reads of $all', (t) => readAllSuite(t, client));
  await t.test('subscription to a stream', (t) => streamSubscriptionSuite(t, client));
  await t.test('subscription to $all with a filter', (t) => allSubscriptionSuite(t, client));
  await t.test('delete and tombstone', (t) => deleteSuite(t, client));
  await client.dispose();
}

async function appendSuite(t: Test, client: EventStoreDBClient, path: Path): Promise<void> {
  const options = path === 'batched append' ? {} : OF_A_CALL;
  const append = (
    stream: string,
    expectedRevision: bigint | typeof ANY | typeof NO_STREAM | typeof STREAM_EXISTS,
    events: EventData[],
  ): ReturnType<EventStoreDBClient['appendToStream']> =>
    client.appendToStream(stream, events, { expectedRevision, ...options });

  await t.test('expected revisions', async (t) => {
    const stream = newStream();
    const conflict = async (expected: Parameters<typeof append>[1], on = stream): Promise<unknown> => {
      const error = await refused(append(on, expected, someEvents(1)), WrongExpectedVersionError);
      return error.actualVersion;
    };
    const first = await append(stream, NO_STREAM, someEvents(2));
    t.match(first, { success: true, nextExpectedRevision: 1n });
    const second = await append(stream, 1n, someEvents(1));
    t.equal(second.nextExpectedRevision, 2n);
    t.ok((second.position?.commit ?? 0n) > (first.position?.commit ?? 0n), 'a later position');
    t.equal((await append(stream, ANY, someEvents(1))).nextExpectedRevision, 3n);
    t.equal((await append(stream, STREAM_EXISTS, someEvents(1))).nextExpectedRevision, 4n);
    t.equal(await conflict(NO_STREAM), 4n);
    t.equal(await conflict(3n), 4n);
    t.equal(await conflict(5n), 4n);
    t.equal(await conflict(0n, newStream()), 'no_stream');
    t.equal(await conflict(STREAM_EXISTS, newStream()), 'no_stream');
    t.equal((await collect(client.readStream(stream))).length, 5, 'and nothing of what was refused');
  });

  await t.test('the same ids again are the same append', async (t) => {
    const stream = newStream();
    const events = someEvents(3);
    const first = await append(stream, NO_STREAM, events);
    await append(stream, 2n, someEvents(2));
    t.same(await append(stream, NO_STREAM, events), first, 'the original answer, though the stream went on');
    t.same(await append(stream, ANY, events), first);
    t.match(await append(stream, NO_STREAM, events.slice(0, 2)), { success: true, nextExpectedRevision: 1n });
    await refused(append(stream, NO_STREAM, [...events.slice(0, 2), ...someEvents(1)]), WrongExpectedVersionError);
    await refused(append(stream, ANY, [...events.slice(0, 1), ...someEvents(1)]), WrongExpectedVersionError);
    t.equal((await collect(client.readStream(stream))).length, 5);
    const again = await append(stream, 4n, events);
    t.equal(again.nextExpectedRevision, 7n, 'at the end of the stream they are new events');
    const elsewhere = await append(newStream(), NO_STREAM, events);
    t.equal(elsewhere.nextExpectedRevision, 2n, 'and so they are in another stream');
  });

  await t.test('maximum append size', async (t) => {
    const stream = newStream();
    const event = (size: number): EventData => binaryEvent({ type: 'large', data: Buffer.alloc(size, 7) });
    const error = await refused(append(stream, NO_STREAM, [event(MAX_APPEND_SIZE + 1)]), MaxAppendSizeExceededError);
    t.equal(error.maxAppendSize, MAX_APPEND_SIZE);
    const halves = [event(MAX_APPEND_SIZE / 2), event(MAX_APPEND_SIZE / 2 + 1)];
    await refused(append(stream, NO_STREAM, halves), MaxAppendSizeExceededError);
    await refused(collect(client.readStream(stream)), StreamNotFoundError);
    t.ok((await append(stream, NO_STREAM, [event(MAX_APPEND_SIZE - 1024)])).success, 'just below it is taken');
  });

  await t.test('many at once', async (t) => {
    const streams = Array.from({ length: 50 }, () => newStream());
    const results = await Promise.all(streams.map((stream) => append(stream, NO_STREAM, someEvents(3))));
    t.equal(new Set(results.map(({ position }) => position?.commit)).size, 50, 'each with a position of its own');
    const race = await Promise.allSettled(Array.from({ length: 5 }, () => append(streams[0] ?? '', 2n, someEvents(1))));
    t.equal(race.filter(({ status }) => status === 'fulfilled').length, 1, 'one of five wins');
  });
}

async function readSuite(t: Test, client: EventStoreDBClient): Promise<void> {
  const stream = newStream('süß');
  const before = Date.now();
  const bytes = Buffer.from([0, 1, 254, 255]);
  const id = randomUUID();
  const binary = binaryEvent({ id, type: 'binary', data: bytes, metadata: Buffer.from([0, 128]) });
  await client.appendToStream(stream, [...someEvents(4), binary]);
  const read = async (options: Parameters<EventStoreDBClient['readStream']>[1]): Promise<Array<bigint | undefined>> =>
    revisionsOf(await collect(client.readStream(stream, options)));
  t.same(await read({}), [0n, 1n, 2n, 3n, 4n]);
  t.same(await read({ fromRevision: 2n, maxCount: 2 }), [2n, 3n]);
  t.same(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 }), [4n, 3n]);
  t.same(await read({ direction: BACKWARDS, fromRevision: 1n }), [1n, 0n]);
  t.same(await read({ fromRevision: 5n }), [], 'behind the end is nothing, and no error');
  await refused(collect(client.readStream(newStream())), StreamNotFoundError);

  const [first] = await collect(client.readStream(stream, { maxCount: 1 }));
  t.match(first?.event, { streamId: stream, type: 'counted', data: { n: 0 }, isJson: true });
  t.ok(Math.abs((first?.event?.created.getTime() ?? 0) - before) < 60_000, 'created now');
  const [last] = await collect(client.readStream(stream, { fromRevision: 4n }));
  t.match(last?.event, { id, type: 'binary', isJson: false, revision: 4n });
  t.same(Buffer.from(last?.event?.data as Uint8Array), bytes);
  t.same(Buffer.from(last?.event?.metadata as Uint8Array), Buffer.from([0, 128]));

  await client.setStreamMetadata(stream, { truncateBefore: 3 });
  t.same(await read({}), [3n, 4n], 'events before $tb are hidden');
  t.match(await client.getStreamMetadata(stream), { metadata: { truncateBefore: 3 } });
}

async function readAllSuite(t: Test, client: EventStoreDBClient): Promise<void> {
  const stream = newStream();
  await client.appendToStream(stream, someEvents(2));
  const { position } = await client.appendToStream(stream, someEvents(1));
  if (position === undefined) throw new Error('no position');
  const newest = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 3 }));
  t.same(revisionsOf(newest), [2n, 1n, 0n]);
  t.same(newest[0]?.event?.position, position, 'the position of an append is that of its last event');
  const positions = newest.map(({ event }) => event?.position?.commit ?? 0n);
  t.ok(
    positions.every((commit, n) => n === 0 || commit < (positions[n - 1] ?? 0n)),
    'strictly increasing',
  );
  const forwards = await collect(client.readAll({ fromPosition: position, maxCount: 1 }));
  t.equal(forwards[0]?.event?.revision, 2n, 'forwards the event at the position comes first');
  const backwards = await collect(client.readAll({ direction: BACKWARDS, fromPosition: position, maxCount: 1 }));
  t.equal(backwards[0]?.event?.revision, 1n, 'backwards the one before it');
}

async function streamSubscriptionSuite(t: Test, client: EventStoreDBClient): Promise<void> {
  const stream = newStream();
  const seen: Array<bigint | undefined> = [];
  const heard: string[] = [];
  const subscription = client.subscribeToStream(stream, { fromRevision: 0n });
  for (const name of ['confirmation', 'caughtUp'] as const) {
    (subscription as NodeJS.EventEmitter).on(name, () => heard.push(name));
  }
  subscription.on('data', ({ event }) => seen.push(event?.revision));
  subscription.on('error', (error) => t.fail(error.message));
  await eventually(() => heard.includes('confirmation'));
  await client.appendToStream(stream, someEvents(3));
  await eventually(() => seen.length === 2);
  await client.appendToStream(stream, someEvents(2));
  await eventually(() => seen.length === 4);
  t.same(seen, [1n, 2n, 3n, 4n], 'what comes after the given revision, the stream need not be there yet');
  t.same(heard, ['confirmation', 'caughtUp']);
  await subscription.unsubscribe();
}

async function allSubscriptionSuite(t: Test, client: EventStoreDBClient): Promise<void> {
  const prefix = newStream('followed');
  const ours = (n: number): string => `${prefix}_${n}`;
  await client.appendToStream(newStream(), someEvents(40));
  const { position } = await client.appendToStream(ours(1), someEvents(2));
  if (position === undefined) throw new Error('no position');
  const checkpoints: Position[] = [];
  const checkpointReached = (_: unknown, checkpoint: Position): void => void checkpoints.push(checkpoint);
  const follow = (
    filter: Filter,
    options: { fromPosition?: Position } = {},
  ): { seen: string[]; stop: () => Promise<void> } => {
    const seen: string[] = [];
    const subscription = client.subscribeToAll({ filter, ...options });
    subscription.on('data', ({ event }) => seen.push(`${event?.streamId}@${event?.revision}`));
    subscription.on('error', (error) => t.fail(error.message));
    return { seen, stop: () => subscription.unsubscribe() };
  };

  const byPrefix = follow(streamNameFilter({ prefixes: [prefix], checkpointReached }));
  await eventually(() => byPrefix.seen.length === 2);
  await eventually(() => (checkpoints.at(-1)?.commit ?? 0n) >= (position?.commit ?? 0n));
  t.pass('a checkpoint when it goes live');
  const caughtUp = checkpoints.at(-1);
  await client.appendToStream(newStream(), someEvents(1));
  await client.appendToStream(ours(2), someEvents(1));
  await eventually(() => byPrefix.seen.length === 3);
  const foreign = await client.appendToStream(newStream(), someEvents(33));
  await eventually(() => (checkpoints.at(-1)?.commit ?? 0n) > (caughtUp?.commit ?? 0n));
  t.pass('a checkpoint after 32 events of others');
  t.ok((checkpoints.at(-1)?.commit ?? 0n) <= (foreign.position?.commit ?? 0n));
  t.same(byPrefix.seen, [`${ours(1)}@0`, `${ours(1)}@1`, `${ours(2)}@0`]);

  const resumed = follow(streamNameFilter({ regex: `^${prefix}_[1-9]$` }), { fromPosition: position });
  await eventually(() => resumed.seen.length === 1);
  await client.appendToStream(ours(3), someEvents(1));
  await eventually(() => resumed.seen.length === 2 && byPrefix.seen.length === 4);
  t.same(resumed.seen, [`${ours(2)}@0`, `${ours(3)}@0`], 'after the position, by regular expression');
  await byPrefix.stop();
  await resumed.stop();

  const type = `type-${randomUUID()}`;
  const byType: unknown[] = [];
  const typed = client.subscribeToAll({ fromPosition: END, filter: eventTypeFilter({ prefixes: [type] }) });
  typed.on('data', ({ event }) => byType.push(event?.type));
  typed.on('error', (error) => t.fail(error.message));
  await new Promise((resolve) => typed.once('confirmation', resolve));
  await client.appendToStream(ours(4), [...someEvents(1), ...someEvents(1, type)]);
  await eventually(() => byType.length === 1);
  t.same(byType, [type]);
  await typed.unsubscribe();
}

async function deleteSuite(t: Test, client: EventStoreDBClient): Promise<void> {
  const stream = newStream();
  const events = someEvents(3);
  await client.appendToStream(stream, events);
  await refused(client.deleteStream(stream, { expectedRevision: 7n }), WrongExpectedVersionError);
  t.ok((await client.deleteStream(stream, { expectedRevision: 2n })).position);
  await refused(collect(client.readStream(stream)), StreamNotFoundError);
  await refused(
    client.appendToStream(stream, someEvents(1), { expectedRevision: STREAM_EXISTS, ...OF_A_CALL }),
    StreamDeletedError,
  );
  const revived = await client.appendToStream(stream, someEvents(1), { expectedRevision: NO_STREAM });
  t.equal(revived.nextExpectedRevision, 3n, 'a deleted stream goes on with the next revision');
  t.same(revisionsOf(await collect(client.readStream(stream))), [3n], 'and hides what was before');

  const ended: string[] = [];
  const subscription = client.subscribeToStream(stream);
  subscription.on('error', (error) => ended.push(error.constructor.name)).resume();
  await new Promise((resolve) => subscription.once('confirmation', resolve));
  t.ok((await client.tombstoneStream(stream)).position);
  await refused(collect(client.readStream(stream)), StreamDeletedError);
  for (const options of [{}, OF_A_CALL]) {
    const error = await refused(client.appendToStream(stream, someEvents(1), options), StreamDeletedError);
    t.equal(error.streamName, stream);
  }
  await refused(client.deleteStream(stream), StreamDeletedError);
  await eventually(() => ended.length === 1);
  t.same(ended, ['StreamDeletedError'], 'a subscription ends with the stream');
}
