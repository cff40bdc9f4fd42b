/** The batched append: one call for all appends of a client, each in one or more parts under its correlation id. */
import type { Code } from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { WrongExpectedVersion } from '@eventstore/db-client/generated/shared_pb.js';
import statusMessages from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerDuplexStream, type handleBidiStreamingCall, status } from '@grpc/grpc-js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { appendWithFaults } from './appending.js';
import { expectedOf, proposedEvent, sizeOf, streamIdentifier, streamNameOf, uuidText } from './messages.js';
import { type FakeNode, identityOf, refusedAtTheGate, refusedByFollower, refuse } from './node.js';
import type { Appended, Expected, ProposedEvent } from './store.js';

type Call = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

/** An append whose last part has not come yet. */
interface Pending {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: ProposedEvent[];
  readonly deadline: NodeJS.Timeout | undefined;
}

export const handleBatchAppend =
  (node: FakeNode): handleBidiStreamingCall<BatchAppendReq, BatchAppendResp> =>
  (call) => {
    const refused = refusedAtTheGate(node, call, { anonymous: true });
    call.on('error', () => undefined);
    if (refused !== undefined) return refuse(call, refused);
    const batches = new BatchedAppends(node, call);
    call.on('data', (request: BatchAppendReq) => batches.receive(request));
    call.on('end', () => batches.finish());
    call.on('cancelled', () => batches.forget());
  };

class BatchedAppends {
  readonly #pending = new Map<string, Pending>();
  #working: Promise<void> = Promise.resolve();

  constructor(
    private readonly node: FakeNode,
    private readonly call: Call,
  ) {}

  receive(request: BatchAppendReq): void {
    const id = uuidText(request.getCorrelationId());
    const options = request.getOptions();
    if (options !== undefined && !this.#begin(id, options)) return;
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.events.push(...request.getProposedMessagesList().map(proposedEvent));
    if (sizeOf(pending.events) > this.node.maxAppendSize) {
      this.#drop(id, pending);
      const limit = new shared.MaximumAppendSizeExceeded().setMaxappendsize(this.node.maxAppendSize);
      return this.#refuse(id, pending.stream, 'MaximumAppendSizeExceeded', limit, status.INVALID_ARGUMENT);
    }
    if (!request.getIsFinal()) return;
    this.#drop(id, pending);
    this.#working = this.#working.then(() => this.#append(id, pending));
  }

  /** Answers what is under way, then ends the call as the caller did. */
  finish(): void {
    this.forget();
    void this.#working.then(() => this.call.end());
  }

  forget(): void {
    for (const [id, pending] of this.#pending) this.#drop(id, pending);
  }

  #begin(id: string, options: BatchAppendReq.Options): boolean {
    const stream = streamNameOf(options.getStreamIdentifier());
    if (identityOf(this.node, this.call) === 'anonymous') {
      this.#refuse(id, stream, 'AccessDenied', new shared.AccessDenied(), status.PERMISSION_DENIED);
      return false;
    }
    const timeOut = (): void => {
      this.#pending.delete(id);
      this.#refuse(id, stream, 'Timeout', new shared.Timeout(), status.DEADLINE_EXCEEDED);
    };
    const deadline = options.getDeadline()?.toDate().getTime();
    const patience = deadline === undefined ? undefined : deadline - Date.now();
    if (patience !== undefined && patience <= 0) {
      timeOut();
      return false;
    }
    const timer = patience === undefined ? undefined : setTimeout(timeOut, patience);
    this.#pending.set(id, { stream, expected: expectedOf(options), events: [], deadline: timer });
    return true;
  }

  #drop(id: string, pending: Pending): void {
    clearTimeout(pending.deadline);
    this.#pending.delete(id);
  }

  async #append(id: string, { stream, expected, events }: Pending): Promise<void> {
    const refused = refusedByFollower(this.node, this.call);
    if (refused !== undefined) return refuse(this.call, refused);
    const result = await appendWithFaults(this.node, this.call, { stream, expected, events });
    switch (result.outcome) {
      case 'appended':
        return this.#answer(id, stream, new streams.BatchAppendResp().setSuccess(success(result)));
      case 'wrong-version': {
        const details = wrongVersion(expected, result.current);
        return this.#refuse(id, stream, 'WrongExpectedVersion', details, status.ALREADY_EXISTS);
      }
      case 'deleted': {
        const details = new shared.StreamDeleted().setStreamIdentifier(streamIdentifier(stream));
        return this.#refuse(id, stream, 'StreamDeleted', details, status.NOT_FOUND);
      }
      case 'timed-out':
        return this.#refuse(id, stream, 'Timeout', new shared.Timeout(), status.DEADLINE_EXCEEDED);
      case 'silence':
        return undefined;
    }
  }

  #refuse(id: string, stream: string, name: string, details: { serializeBinary(): Uint8Array }, code: status): void {
    const packed = new any.Any();
    packed.pack(details.serializeBinary(), `event_store.client.${name}`);
    const error = new statusMessages.Status()
      .setCode(code as number as Code)
      .setMessage(name)
      .setDetails(packed);
    this.#answer(id, stream, new streams.BatchAppendResp().setError(error));
  }

  #answer(id: string, stream: string, answer: BatchAppendResp): void {
    if (this.call.cancelled || this.call.writableEnded) return;
    const correlationId = new shared.UUID().setString(id);
    this.call.write(answer.setCorrelationId(correlationId).setStreamIdentifier(streamIdentifier(stream)));
  }
}

function success({ revision, position }: Extract<Appended, { outcome: 'appended' }>): BatchAppendResp.Success {
  const answer = new streams.BatchAppendResp.Success();
  if (revision < 0n) answer.setNoStream(new empty.Empty());
  else answer.setCurrentRevision(`${revision}`);
  if (position === undefined) return answer.setNoPosition(new empty.Empty());
  const both = `${position}`;
  return answer.setPosition(new shared.AllStreamPosition().setCommitPosition(both).setPreparePosition(both));
}

function wrongVersion(expected: Expected, current: bigint): WrongExpectedVersion {
  const answer = new shared.WrongExpectedVersion();
  if (current < 0n) answer.setCurrentNoStream(new empty.Empty());
  else answer.setCurrentStreamRevision(`${current}`);
  if (expected === 'any') return answer.setExpectedAny(new empty.Empty());
  if (expected === 'no-stream') return answer.setExpectedNoStream(new empty.Empty());
  if (expected === 'stream-exists') return answer.setExpectedStreamExists(new empty.Empty());
  return answer.setExpectedStreamPosition(`${expected}`);
}
