import type { Duplex } from 'node:stream';
import { textOf, valueOf } from './values.js';

/** Far more than a request may be: whoever sends more is not one of us. */
const LARGEST_BYTES = 32 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** Sends values over a stream, those of one moment in one frame: half the work of a frame each, and one packet. */
export class FrameSender {
  #waiting: unknown[] = [];

  constructor(private readonly stream: Duplex) {}

  /** In the frame of those that are sent in the same turn of the event loop. */
  send(value: unknown): void {
    if (this.#waiting.push(value) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const values = this.#waiting;
    this.#waiting = [];
    if (!this.stream.writable) return;
    try {
      for (const frame of framesOf(values)) this.stream.write(frame);
    } catch (error) {
      this.stream.destroy(error as Error);
    }
  }
}

/** One frame, or more where one would be too large. */
function framesOf(values: readonly unknown[]): Buffer[] {
  const text = textOf(values);
  const bytes = Buffer.byteLength(text);
  if (bytes > LARGEST_BYTES && values.length > 1) {
    const half = Math.ceil(values.length / 2);
    return [...framesOf(values.slice(0, half)), ...framesOf(values.slice(half))];
  }
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
  frame.writeUInt32BE(bytes);
  frame.write(text, LENGTH_BYTES);
  return [frame];
}

/** Calls `take` with each value that comes; destroys the stream when it is fed what cannot be one. */
export function readFrames(stream: Duplex, take: (value: unknown) => void): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let wanted = LENGTH_BYTES;
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
    bytes += piece.length;
    // Pieces of a large frame are put together once, when all of them are there.
    if (bytes < wanted) return;
    const all = pieces.length === 1 ? piece : Buffer.concat(pieces, bytes);
    let at = 0;
    try {
      for (;;) {
        wanted = LENGTH_BYTES;
        if (all.length - at < wanted) break;
        const length = all.readUInt32BE(at);
        if (length > LARGEST_BYTES) throw new Error(`a frame of ${length} bytes`);
        wanted += length;
        if (all.length - at < wanted) break;
        for (const value of valueOf(all.toString('utf8', at + LENGTH_BYTES, at + wanted)) as unknown[]) take(value);
        at += wanted;
      }
    } catch (error) {
      stream.destroy(error as Error);
      return;
    }
    pieces = at === all.length ? [] : [all.subarray(at)];
    bytes = all.length - at;
  });
}
