/** Reads of a stream and of `$all`: what is there now, then the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type handleServerStreamingCall, status } from '@grpc/grpc-js';
import { filterOf } from './filter.js';
import { readEvent, streamIdentifier } from './messages.js';
import { type FakeNode, refusedAtTheGate, refusedByFollower, refuse } from './node.js';
import { refusal, streamDeleted } from './refusals.js';
import type { FakeStore, StoredEvent } from './store.js';
import { type ReadCall, nameOf, send, uuidsOf } from './read-call.js';
import { subscribe } from './subscribing.js';

export const handleRead =
  (node: FakeNode): handleServerStreamingCall<ReadReq, ReadResp> =>
  (call) => {
    call.on('error', () => undefined);
    const refused = refusedAtTheGate(node, call) ?? refusedByFollower(node, call);
    if (refused !== undefined) return refuse(call, refused);
    answer(node, call).catch((error: unknown) =>
      refuse(call, refusal(status.UNKNOWN, `Exception was thrown by handler. ${String(error)}`)),
    );
  };

async function answer(node: FakeNode, call: ReadCall): Promise<void> {
  const options = call.request.getOptions();
  if (options === undefined) throw new Error('no options');
  const delay = node.faults.take('delay-read');
  if (delay !== undefined) await sleep(delay.detail);
  if (options.hasSubscription()) return subscribe(node, call, options);
  const events = options.hasAll() ? readAll(node.store, options) : readStream(node.store, options);
  if (events === 'deleted') return refuse(call, streamDeleted(nameOf(options)));
  if (events === 'not-found') {
    const notFound = new streams.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(nameOf(options)));
    await send(call, new streams.ReadResp().setStreamNotFound(notFound));
    return void call.end();
  }
  const uuids = uuidsOf(options);
  for (const event of events) {
    if (node.faults.take('drop-read') !== undefined) return node.hangUp(call);
    if (!(await send(call, readEvent(event, uuids)))) return;
  }
  call.end();
}

/** Forwards and backwards the event of the given revision comes first. A stream has all its revisions, so they are indices. */
function readStream(store: FakeStore, options: ReadReq.Options): Iterable<StoredEvent> | 'deleted' | 'not-found' {
  const name = nameOf(options);
  const from = options.getStream();
  if (store.isTombstoned(name)) return 'deleted';
  const events = store.events(name);
  if (events.length === 0 || store.isSoftDeleted(name)) return 'not-found';
  const first = Number(store.truncatedBefore(name));
  const start = from?.hasRevision() === true ? Number(BigInt.asUintN(64, BigInt(from.getRevision()))) : undefined;
  if (isBackwards(options)) {
    const last = from?.hasStart() === true ? 0 : (start ?? events.length - 1);
    return backwards(events, Math.min(last, events.length - 1), first, limitOf(options));
  }
  if (from?.hasEnd() === true) return [];
  return forwards(events, Math.max(start ?? 0, first), limitOf(options));
}

/** Forwards the event at the given position comes first; backwards the position is a gap, and the one before it comes. */
function readAll(store: FakeStore, options: ReadReq.Options): Iterable<StoredEvent> {
  const from = options.getAll();
  const position = from?.getPosition();
  const log = store.log();
  const matches = filterOf(options)?.matches;
  const at = position === undefined ? undefined : store.indexAt(BigInt(position.getCommitPosition()));
  if (isBackwards(options)) {
    const last = from?.hasStart() === true ? 0 : (at ?? log.length);
    return backwards(log, last - 1, 0, limitOf(options), matches);
  }
  return forwards(log, from?.hasEnd() === true ? log.length : (at ?? 0), limitOf(options), matches);
}

type Matches = (event: StoredEvent) => boolean;
const all: Matches = () => true;

function* forwards(events: readonly StoredEvent[], first: number, limit: number, matches = all): Iterable<StoredEvent> {
  let left = limit;
  const end = events.length;
  for (let index = first; index < end && left > 0; index += 1) {
    const event = events[index];
    if (event === undefined || !matches(event)) continue;
    left -= 1;
    yield event;
  }
}

function* backwards(
  events: readonly StoredEvent[],
  last: number,
  first: number,
  limit: number,
  matches = all,
): Iterable<StoredEvent> {
  let left = limit;
  for (let index = last; index >= first && left > 0; index -= 1) {
    const event = events[index];
    if (event === undefined || !matches(event)) continue;
    left -= 1;
    yield event;
  }
}

const limitOf = (options: ReadReq.Options): number => Number.parseInt(options.getCount(), 10);

const isBackwards = (options: ReadReq.Options): boolean => options.getReadDirection() === 1;
