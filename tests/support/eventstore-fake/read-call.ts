/** The call of a read or a subscription: what it asks for, and how it is answered at the reader's pace. */
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { streamNameOf } from './messages.js';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

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
