/** Subscriptions: what is there, then what comes, until the reader goes, the stream is tombstoned or a fault strikes. */
import { randomUUID } from 'node:crypto';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import type { SubscriptionEnd } from './faults.js';
import { type Filter, filterOf } from './filter.js';
import { readEvent } from './messages.js';
import { type FakeNode, refuse } from './node.js';
import { type ReadCall, nameOf, send, uuidsOf } from './read-call.js';
import { notReady, refusal, streamDeleted } from './refusals.js';
import type { FakeStore, StoredEvent } from './store.js';
import { tellsCaughtUp } from './version.js';

export function subscribe(node: FakeNode, call: ReadCall, options: ReadReq.Options): Promise<void> {
  const subscription = new FakeSubscription(node, call, options);
  call.on('cancelled', () => node.store.bell.ring());
  return subscription.run();
}

class FakeSubscription {
  readonly #filter: Filter | undefined;
  /** The events followed: a stream or the whole log; both only grow. */
  readonly #followed: () => readonly StoredEvent[];
  /** Undefined for `$all`. */
  readonly #stream: string | undefined;
  readonly #uuids: 'string' | 'structured';
  #next: number;
  #looked = 0;
  #lookedAt = -1n;
  #checkpointed = -1n;
  #live = false;

  constructor(
    private readonly node: FakeNode,
    private readonly call: ReadCall,
    options: ReadReq.Options,
  ) {
    const { store } = node;
    const stream = options.hasStream() ? nameOf(options) : undefined;
    this.#stream = stream;
    this.#followed = stream === undefined ? () => store.log() : () => store.events(stream);
    this.#filter = filterOf(options);
    this.#uuids = uuidsOf(options);
    this.#next = startOf(store, options, this.#followed());
  }

  async run(): Promise<void> {
    const { node, call } = this;
    const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID());
    await send(call, new streams.ReadResp().setConfirmation(confirmation));
    while (!call.cancelled && !call.writableEnded) {
      const end = node.faults.takeEnd();
      if (end !== undefined) return this.#end(end);
      if (this.#live && node.faults.take('fall-behind') !== undefined) await this.#fallBehind();
      if (this.#stream !== undefined && node.store.isTombstoned(this.#stream)) {
        return refuse(call, streamDeleted(this.#stream));
      }
      const event = this.#followed()[this.#next];
      if (event !== undefined) {
        this.#next += 1;
        if (!(await this.#pass(event))) return;
      } else if (!this.#live) {
        await this.#goLive();
      } else {
        await node.store.bell.next();
      }
    }
  }

  /** False when the connection is gone. */
  async #pass(event: StoredEvent): Promise<boolean> {
    const { node, call } = this;
    const filter = this.#filter;
    this.#looked += 1;
    this.#lookedAt = event.position;
    const hidden = this.#stream !== undefined && event.revision < node.store.truncatedBefore(this.#stream);
    if (!hidden && (filter?.matches(event) ?? true)) {
      if (node.faults.take('drop-read') !== undefined) {
        node.hangUp(call);
        return false;
      }
      const times = node.faults.take('duplicate-event') === undefined ? 1 : 2;
      for (let time = 0; time < times; time += 1) await send(call, readEvent(event, this.#uuids));
      node.faults.countDelivered();
    }
    if (filter !== undefined && this.#looked >= filter.checkpointInterval) await this.#checkpoint();
    return true;
  }

  async #goLive(): Promise<void> {
    this.#live = true;
    await this.#checkpoint();
    if (!tellsCaughtUp(this.node.version)) return;
    await send(this.call, new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
  }

  async #fallBehind(): Promise<void> {
    this.#live = false;
    await send(this.call, new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind()));
    await this.#checkpoint();
  }

  /** Only subscriptions with a filter have them, and none twice. */
  async #checkpoint(): Promise<void> {
    this.#looked = 0;
    if (this.#filter === undefined || this.#lookedAt <= this.#checkpointed) return;
    this.#checkpointed = this.#lookedAt;
    const both = `${this.#lookedAt}`;
    const checkpoint = new streams.ReadResp.Checkpoint().setCommitPosition(both).setPreparePosition(both);
    await send(this.call, new streams.ReadResp().setCheckpoint(checkpoint));
  }

  #end(how: SubscriptionEnd): void {
    switch (how) {
      case 'ended':
        return void this.call.end();
      case 'unavailable':
        return refuse(this.call, notReady());
      case 'cancelled':
        return refuse(this.call, refusal(status.CANCELLED, 'Cancelled by the server'));
      case 'too-slow':
        return refuse(this.call, refusal(status.ABORTED, 'Operation timed out: Consumer too slow to handle event'));
      case 'connection':
        return this.node.hangUp(this.call);
    }
  }
}

/** The index of the first event to deliver: a subscription begins after the revision or position it names. */
function startOf(store: FakeStore, options: ReadReq.Options, followed: readonly StoredEvent[]): number {
  const stream = options.getStream();
  const all = options.getAll();
  if (stream?.hasEnd() === true || all?.hasEnd() === true) return followed.length;
  const position = all?.getPosition();
  if (stream?.hasRevision() === true) return Number(BigInt.asUintN(64, BigInt(stream.getRevision()))) + 1;
  if (position === undefined) return 0;
  return store.indexAt(BigInt(position.getCommitPosition()) + 1n);
}
