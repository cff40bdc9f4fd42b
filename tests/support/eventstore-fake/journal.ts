/** The file of a fake that has to survive kill -9: one line an append, on the disk before it is answered. */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { StoredEvent } from './store.js';

interface Line extends Omit<StoredEvent, 'data' | 'metadata' | 'revision' | 'position'> {
  readonly data: string;
  readonly metadata: string;
  readonly revision: string;
  readonly position: string;
}

export class Journal {
  readonly #file: number;

  private constructor(path: string) {
    this.#file = openSync(path, 'a+');
  }

  /** Opens or makes the file and gives what it holds; a line that a crash cut in half was never answered and goes. */
  static open(path: string): { readonly journal: Journal; readonly appends: StoredEvent[][] } {
    const journal = new Journal(path);
    const text = readFileSync(path);
    const end = text.lastIndexOf(0x0a) + 1;
    if (end < text.length) ftruncateSync(journal.#file, end);
    const lines = text.toString('utf8', 0, end).split('\n').slice(0, -1);
    return { journal, appends: lines.map((line) => (JSON.parse(line) as Line[]).map(fromLine)) };
  }

  write(events: readonly StoredEvent[]): void {
    writeSync(this.#file, `${JSON.stringify(events.map(toLine))}\n`);
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

const toLine = (event: StoredEvent): Line => ({
  ...event,
  data: event.data.toString('base64'),
  metadata: event.metadata.toString('base64'),
  revision: `${event.revision}`,
  position: `${event.position}`,
});

const fromLine = (line: Line): StoredEvent => ({
  ...line,
  data: Buffer.from(line.data, 'base64'),
  metadata: Buffer.from(line.metadata, 'base64'),
  revision: BigInt(line.revision),
  position: BigInt(line.position),
});
