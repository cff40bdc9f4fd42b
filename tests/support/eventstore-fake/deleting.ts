/** Delete (a stream that may go on) and tombstone (one that may not). */
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { DeleteReq, DeleteResp, TombstoneReq, TombstoneResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServiceError, handleUnaryCall } from '@grpc/grpc-js';
import { expectedOf, streamNameOf } from './messages.js';
import { type AnyCall, type FakeNode, refusedAtTheGate, refusedByFollower } from './node.js';
import { invalidArgument, streamDeleted, wrongExpectedVersion } from './refusals.js';
import type { Appended, Expected } from './store.js';

export const handleDelete =
  (node: FakeNode): handleUnaryCall<DeleteReq, DeleteResp> =>
  (call, callback) => {
    const result = remove(node, call, call.request.getOptions(), (stream, expected) =>
      node.store.softDelete(stream, expected),
    );
    if (typeof result !== 'bigint') return callback(result);
    const both = `${result}`;
    const position = new streams.DeleteResp.Position().setCommitPosition(both).setPreparePosition(both);
    callback(null, new streams.DeleteResp().setPosition(position));
  };

export const handleTombstone =
  (node: FakeNode): handleUnaryCall<TombstoneReq, TombstoneResp> =>
  (call, callback) => {
    const result = remove(node, call, call.request.getOptions(), (stream, expected) =>
      node.store.tombstone(stream, expected),
    );
    if (typeof result !== 'bigint') return callback(result);
    const both = `${result}`;
    const position = new streams.TombstoneResp.Position().setCommitPosition(both).setPreparePosition(both);
    callback(null, new streams.TombstoneResp().setPosition(position));
  };

/** The position of the deletion, or why there is none. */
function remove(
  node: FakeNode,
  call: AnyCall,
  options: DeleteReq.Options | TombstoneReq.Options | undefined,
  apply: (stream: string, expected: Expected) => Appended,
): bigint | ServiceError {
  const refused = refusedAtTheGate(node, call) ?? refusedByFollower(node, call);
  if (refused !== undefined) return refused;
  if (options === undefined) return invalidArgument('no options');
  const stream = streamNameOf(options.getStreamIdentifier());
  const expected = expectedOf(options);
  const result = apply(stream, expected);
  switch (result.outcome) {
    case 'appended':
      return result.position ?? 0n;
    case 'deleted':
      return streamDeleted(stream);
    case 'wrong-version':
      return wrongExpectedVersion(stream, numberOf(expected), result.current);
  }
}

/** How the server writes what was expected in a trailer. */
function numberOf(expected: Expected): bigint {
  if (expected === 'any') return -2n;
  if (expected === 'stream-exists') return -4n;
  return expected === 'no-stream' ? -1n : expected;
}
