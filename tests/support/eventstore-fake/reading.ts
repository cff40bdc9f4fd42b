/** Reads of a stream and of `$all`: what is there now, then the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, type handleServerStreamingCall, status } from '@grpc/grpc-js';
import { filterOf } from './filter.js';
import { readEvent, streamIdentifier, streamNameOf } from './messages.js';
import { type FakeNode, refusedAtTheGate, refusedByFollower, refuse } from './node.js';
import { refusal, streamDeleted } from './refusals.js';
import type { FakeStore, StoredEvent } from './store.js';
import { subscribe } from './subscribing.js';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

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

/** Waits while the reader is slow. False when there is no reader any more. */
export async function send(call: ReadCall, message: ReadResp): Promise<boolean> {
  if (call.cancelled || call.writableEnded) return false;
  if (call.write(message)) return true;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      for (const name of ['drain', 'close', 'cancelled']) call.off(name, go);
      resolve();
    };
    for (const name of ['drain', 'close', 'cancelled']) call.once(name, go);
  });
  return !call.cancelled && !call.writableEnded;
}

export const nameOf = (options: ReadReq.Options): string => streamNameOf(options.getStream()?.getStreamIdentifier());

export const uuidsOf = (options: ReadReq.Options): 'string' | 'structured' =>
  options.getUuidOption()?.hasStructured() === true ? 'structured' : 'string';

/** Forwards and backwards the event of the given revision comes first. */
function readStream(store: FakeStore, options: ReadReq.Options): Iterable<StoredEvent> | 'deleted' | 'not-found' {
  const name = nameOf(options);
  const from = options.getStream();
  if (store.isTombstoned(name)) return 'deleted';
  const events = store.events(name);
  if (events.length === 0 || store.isSoftDeleted(name)) return 'not-found';
  const hiddenBefore = store.truncatedBefore(name);
  const visible = events.filter((event) => event.revision >= hiddenBefore);
  const start = from?.hasRevision() === true ? BigInt.asUintN(64, BigInt(from.getRevision())) : undefined;
  const limit = limitOf(options);
  if (isBackwards(options)) {
    const last = from?.hasStart() === true ? 0n : start;
    return visible
      .filter(({ revision }) => last === undefined || revision <= last)
      .toReversed()
      .slice(0, limit);
  }
  if (from?.hasEnd() === true) return [];
  return visible.filter(({ revision }) => start === undefined || revision >= start).slice(0, limit);
}

/** Forwards the event at the given position comes first; backwards the position is a gap, and the one before it comes. */
function readAll(store: FakeStore, options: ReadReq.Options): Iterable<StoredEvent> {
  const from = options.getAll();
  const filter = filterOf(options);
  const log = store.log().filter((event) => filter?.matches(event) ?? true);
  const position = from?.getPosition();
  const start = position === undefined ? undefined : BigInt(position.getCommitPosition());
  const limit = limitOf(options);
  if (isBackwards(options)) {
    if (from?.hasStart() === true) return [];
    return log
      .filter((event) => start === undefined || event.position < start)
      .toReversed()
      .slice(0, limit);
  }
  if (from?.hasEnd() === true) return [];
  return log.filter((event) => start === undefined || event.position >= start).slice(0, limit);
}

const limitOf = (options: ReadReq.Options): number => Number.parseInt(options.getCount(), 10);

const isBackwards = (options: ReadReq.Options): boolean => options.getReadDirection() === 1;
