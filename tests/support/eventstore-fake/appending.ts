/** An append, however it came, with the faults that can strike it; and the streaming append of the protocol. */
import { setTimeout as sleep } from 'node:timers/promises';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type handleClientStreamingCall, status } from '@grpc/grpc-js';
import { expectedOf, proposedEvent, sizeOf, streamNameOf } from './messages.js';
import { type AnyCall, type FakeNode, refusedAtTheGate, refusedByFollower } from './node.js';
import { refusal, streamDeleted, timedOut, tooLarge } from './refusals.js';
import type { Appended, Expected, ProposedEvent } from './store.js';

export interface AppendRequest {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly ProposedEvent[];
}

/** 'silence': the caller gets no answer, because its connection is gone or by a fault. */
type Outcome = Appended | { readonly outcome: 'timed-out' } | { readonly outcome: 'silence' };

const SILENCE = { outcome: 'silence' } as const;
const TIMED_OUT = { outcome: 'timed-out' } as const;

export async function appendWithFaults(node: FakeNode, call: AnyCall, request: AppendRequest): Promise<Outcome> {
  const { store, faults } = node;
  const { stream, expected, events } = request;
  const delay = faults.take('delay-append');
  if (delay !== undefined) await sleep(delay.detail);
  if (faults.take('drop-before-append') !== undefined) {
    node.hangUp(call);
    return SILENCE;
  }
  if (faults.take('time-out-lost') !== undefined) return TIMED_OUT;
  if (faults.take('wrong-version') !== undefined) return { outcome: 'wrong-version', current: store.revision(stream) };
  const appended = store.append(stream, expected, events);
  if (faults.take('time-out-kept') !== undefined) return TIMED_OUT;
  if (faults.take('silent-append') !== undefined) return SILENCE;
  if (faults.take('drop-after-append') === undefined) return appended;
  node.hangUp(call);
  return SILENCE;
}

type AppendHandler = handleClientStreamingCall<AppendReq, AppendResp>;

/** First the options, then one message an event; answered when the caller has ended. */
export const handleAppend =
  (node: FakeNode): AppendHandler =>
  (call, callback) => {
    const messages: AppendReq[] = [];
    let answered = false;
    const answer: typeof callback = (error, response) => {
      if (answered) return;
      answered = true;
      callback(error, response);
    };
    const refused = refusedAtTheGate(node, call) ?? refusedByFollower(node, call);
    if (refused !== undefined) answer(refused);
    call.on('data', (message: AppendReq) => messages.push(message));
    call.on('error', () => undefined);
    call.on('end', async () => {
      // A connection that breaks in the middle ends the messages too, and says so a moment later: nothing is appended then.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (call.cancelled) return;
      if (answered) return;
      finishAppend(node, call, messages, answer).catch((error: unknown) =>
        answer(refusal(status.UNKNOWN, `Exception was thrown by handler. ${String(error)}`)),
      );
    });
  };

async function finishAppend(
  node: FakeNode,
  call: AnyCall,
  messages: readonly AppendReq[],
  answer: Parameters<AppendHandler>[1],
): Promise<void> {
  const options = messages[0]?.getOptions();
  if (options === undefined) return answer(refusal(status.UNKNOWN, 'Exception was thrown by handler.'));
  const stream = streamNameOf(options.getStreamIdentifier());
  const expected = expectedOf(options);
  const proposed = messages.slice(1).flatMap((message) => message.getProposedMessage() ?? []);
  const events = proposed.map(proposedEvent);
  if (sizeOf(events) > node.maxAppendSize) return answer(tooLarge(node.maxAppendSize));
  const result = await appendWithFaults(node, call, { stream, expected, events });
  switch (result.outcome) {
    case 'appended':
      return answer(null, success(result));
    case 'wrong-version':
      return answer(null, wrongVersion(expected, result.current));
    case 'deleted':
      return answer(streamDeleted(stream));
    case 'timed-out':
      return answer(timedOut());
    case 'silence':
      return undefined;
  }
}

function success({ revision, position }: Extract<Appended, { outcome: 'appended' }>): AppendResp {
  const answer = new streams.AppendResp.Success();
  if (revision < 0n) answer.setNoStream(new shared.Empty());
  else answer.setCurrentRevision(`${revision}`);
  if (position === undefined) answer.setNoPosition(new shared.Empty());
  else {
    const both = `${position}`;
    answer.setPosition(new streams.AppendResp.Position().setCommitPosition(both).setPreparePosition(both));
  }
  return new streams.AppendResp().setSuccess(answer);
}

function wrongVersion(expected: Expected, current: bigint): AppendResp {
  const answer = new streams.AppendResp.WrongExpectedVersion();
  if (current < 0n) answer.setCurrentNoStream(new shared.Empty());
  else answer.setCurrentRevision(`${current}`);
  if (expected === 'any') answer.setExpectedAny(new shared.Empty());
  else if (expected === 'no-stream') answer.setExpectedNoStream(new shared.Empty());
  else if (expected === 'stream-exists') answer.setExpectedStreamExists(new shared.Empty());
  else answer.setExpectedRevision(`${expected}`);
  return new streams.AppendResp().setWrongExpectedVersion(answer);
}
