import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

/** Far more than a request may be: whoever sends more is not one of us. */
const LARGEST_BYTES = 32 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** Sends a value; what is sent within `gatherMs`, or in the same turn of the event loop, goes in one packet. */
export function sendFrame(stream: Duplex, value: unknown, gatherMs = 0): void {
  const body = serialize(value);
  const head = Buffer.allocUnsafe(LENGTH_BYTES);
  head.writeUInt32BE(body.length);
  if (stream.writableCorked === 0) {
    stream.cork();
    if (gatherMs > 0) setTimeout(() => stream.uncork(), gatherMs);
    else setImmediate(() => stream.uncork());
  }
  stream.write(head);
  stream.write(body);
}

/** Calls `take` with each value that comes; destroys the stream when it is fed what cannot be one. */
export function readFrames(stream: Duplex, take: (value: unknown) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    try {
      while (rest.length - at >= LENGTH_BYTES) {
        const length = rest.readUInt32BE(at);
        if (length > LARGEST_BYTES) throw new Error(`a frame of ${length} bytes`);
        if (rest.length - at - LENGTH_BYTES < length) break;
        take(deserialize(rest.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length)));
        at += LENGTH_BYTES + length;
      }
    } catch (error) {
      stream.destroy(error as Error);
      return;
    }
    rest = rest.subarray(at);
  });
}
