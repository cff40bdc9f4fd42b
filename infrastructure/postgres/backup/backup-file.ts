/**
 * A backup is one file:
 *
 *   COREBOOK-BACKUP 1\n
 *   sections, each a gzip of its own, one after another
 *   the manifest: gzip of JSON (manifest.ts), which says where each section is
 *   40 bytes: length of the manifest (8), SHA-256 of everything before these 40 bytes (32)
 *   COREBOOK-END\n
 *
 * It appears under its name when it is whole and on disk. Whoever reads it checks the whole before he believes any of it.
 */
import { type Hash, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, createGzip, gunzip, gzip } from 'node:zlib';
import { FORMAT_VERSION, type Manifest, type Section, parseManifest } from './manifest.js';

const HEAD = `COREBOOK-BACKUP ${FORMAT_VERSION}\n`;
const END = 'COREBOOK-END\n';
const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;
const FOOT_BYTES = LENGTH_BYTES + DIGEST_BYTES + END.length;
const MAX_HEAD_BYTES = 64;
/** Measured: a level more costs more time than it saves space. */
const LEVEL = 3;
const CHUNK_BYTES = 256 * 1024;
/** About three million tenants. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

/** The file is not a backup, or not a whole one, or not one for us. */
export class BackupUnusable extends Error {
  override readonly name = 'BackupUnusable';
}

/** Told how many bytes of how many are done. */
export type OnBytes = (done: number, of: number) => void;

export class BackupWriter {
  readonly sections: Section[] = [];
  readonly #hash = createHash('sha256');
  #offset = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Refuses to write over a file. What one that was killed has left of this name is thrown away. */
  static async create(path: string): Promise<BackupWriter> {
    await refuseTaken(path);
    // A file of its own, never one that another backup of this name has open.
    await rm(`${path}.part`, { force: true });
    const writer = new BackupWriter(path, await open(`${path}.part`, 'wx', 0o600));
    await writer.#write(Buffer.from(HEAD));
    return writer;
  }

  /** Compresses what `source` yields into the next section. `rows` is asked when the source has ended. */
  async add(
    about: Pick<Section, 'kind' | 'name' | 'columns'>,
    source: Readable,
    rows: () => number,
    onBytes: (bytes: number) => void = () => undefined,
  ): Promise<void> {
    const meter = new Meter(onBytes);
    const offset = this.#offset;
    await pipeline(source, meter, createGzip({ level: LEVEL, chunkSize: CHUNK_BYTES }), async (compressed) => {
      for await (const piece of compressed as AsyncIterable<Buffer>) await this.#write(piece);
    });
    const { bytes, sha256 } = meter;
    this.sections.push({ ...about, rows: rows(), bytes, sha256, offset, length: this.#offset - offset });
  }

  /** Writes the manifest, waits for the disk, and gives the file its name. Answers its size. */
  async finish(manifest: Omit<Manifest, 'sections'>): Promise<number> {
    const text = JSON.stringify({ ...manifest, sections: this.sections });
    const compressed = await promisify(gzip)(text);
    await this.#write(compressed);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64BE(BigInt(compressed.length));
    const foot = Buffer.concat([length, this.#hash.digest(), Buffer.from(END)]);
    await this.file.appendFile(foot);
    await this.file.sync();
    if (!(await this.#isThere())) throw new BackupUnusable(`another backup is being written to ${this.path}`);
    await refuseTaken(this.path);
    await rename(`${this.path}.part`, this.path);
    await this.file.close();
    await syncFolder(dirname(this.path));
    return this.#offset + foot.length;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    const isThere = await this.#isThere();
    await this.file.close().catch(() => undefined);
    if (isThere) await rm(`${this.path}.part`, { force: true });
  }

  /** What was written is still what is found under its name: no other backup has begun there since. */
  async #isThere(): Promise<boolean> {
    const found = await stat(`${this.path}.part`).catch(() => undefined);
    const own = await this.file.stat().catch(() => undefined);
    return found !== undefined && found.ino === own?.ino && found.dev === own.dev;
  }

  async #write(piece: Buffer): Promise<void> {
    this.#hash.update(piece);
    this.#offset += piece.length;
    await this.file.appendFile(piece);
  }
}

/** A backup that was found whole. */
export class BackupFile {
  private constructor(
    readonly path: string,
    readonly manifest: Manifest,
    readonly size: number,
  ) {}

  /** Reads the file once from end to end; throws `BackupUnusable` unless every byte is as it was written. */
  static async open(path: string, onBytes: OnBytes = () => undefined): Promise<BackupFile> {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new BackupUnusable(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
    });
    try {
      const { size } = await file.stat();
      await checkHead(file, path);
      const foot = await bytesAt(file, Math.max(0, size - FOOT_BYTES), FOOT_BYTES);
      if (size < HEAD.length + FOOT_BYTES || foot.subarray(LENGTH_BYTES + DIGEST_BYTES).toString('latin1') !== END)
        throw new BackupUnusable(`${path} is cut off: its end is missing`);
      const bodyEnd = size - FOOT_BYTES;
      const length = foot.readBigUInt64BE(0);
      const digest = foot.subarray(LENGTH_BYTES, LENGTH_BYTES + DIGEST_BYTES);
      if (!digest.equals(await digestOf(path, bodyEnd, onBytes)))
        throw new BackupUnusable(`${path} is damaged: its checksum is another one`);
      if (length > BigInt(Math.min(MAX_MANIFEST_BYTES, bodyEnd)))
        throw new BackupUnusable(`${path} is damaged: its manifest cannot be that long`);
      const compressed = await bytesAt(file, bodyEnd - Number.parseInt(String(length), 10), Number(length));
      const text = await promisify(gunzip)(compressed, { maxOutputLength: MAX_MANIFEST_BYTES });
      return new BackupFile(path, parseManifest(text.toString('utf8')), size);
    } catch (error) {
      if (error instanceof BackupUnusable) throw error;
      throw new BackupUnusable(`${path} has no readable manifest: ${(error as Error).message}`, { cause: error });
    } finally {
      await file.close();
    }
  }

  section(name: string): Section {
    const found = this.manifest.sections.find((section) => section.name === name);
    if (found === undefined) throw new BackupUnusable(`${this.path} has no section ${name}`);
    return found;
  }

  /** Streams a section to `sink`, and throws unless it was the text that was written. */
  async read(section: Section, sink: NodeJS.WritableStream, onBytes: (bytes: number) => void = () => undefined) {
    const { offset, length, sha256, bytes } = section;
    const meter = new Meter(onBytes, ({ bytes: read, sha256: found }) =>
      read === bytes && found === sha256 ? undefined : new BackupUnusable(`${this.path}: ${section.name} is damaged`),
    );
    const source = createReadStream(this.path, { start: offset, end: offset + length - 1, highWaterMark: CHUNK_BYTES });
    await pipeline(source, createGunzip({ chunkSize: CHUNK_BYTES }), meter, sink);
  }

  /** A section as text, at most so many bytes of it. */
  async text(section: Section, maxBytes: number): Promise<string> {
    if (section.bytes > maxBytes) throw new BackupUnusable(`${this.path}: ${section.name} is too large`);
    const pieces: Buffer[] = [];
    const sink = new Transform({
      transform(piece: Buffer, _encoding, done) {
        pieces.push(piece);
        done();
      },
    });
    await this.read(section, sink);
    return Buffer.concat(pieces).toString('utf8');
  }
}

/** Counts and hashes what passes; `check` is asked before the end is passed on, so that a sink never takes a wrong text. */
class Meter extends Transform {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');
  #digest: string | undefined;

  constructor(
    private readonly onBytes: (bytes: number) => void,
    private readonly check: (meter: Meter) => Error | undefined = () => undefined,
  ) {
    super();
  }

  get sha256(): string {
    return (this.#digest ??= this.#hash.digest('hex'));
  }

  override _transform(
    piece: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, piece: Buffer) => void,
  ): void {
    this.bytes += piece.length;
    this.#hash.update(piece);
    this.onBytes(piece.length);
    done(null, piece);
  }

  override _flush(done: (error?: Error) => void): void {
    done(this.check(this));
  }
}

async function refuseTaken(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined)
    throw new BackupUnusable(`${path} exists already: a backup is not written over another file`);
}

/** A name is on disk when its folder is. Where folders cannot be opened (not on Linux) that is the system's to see to. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function checkHead(file: FileHandle, path: string): Promise<void> {
  const head = (await bytesAt(file, 0, MAX_HEAD_BYTES)).toString('latin1');
  const version = /^COREBOOK-BACKUP (\d{1,6})\n/.exec(head)?.[1];
  if (version === undefined) throw new BackupUnusable(`${path} is no backup of Corebook`);
  if (version !== String(FORMAT_VERSION))
    throw new BackupUnusable(`${path} has format ${version}, and this Corebook reads format ${FORMAT_VERSION} only`);
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function digestOf(path: string, end: number, onBytes: OnBytes): Promise<Buffer> {
  const hash = createHash('sha256');
  if (end <= 0) return hash.digest();
  let done = 0;
  for await (const piece of createReadStream(path, { end: end - 1, highWaterMark: 4 * CHUNK_BYTES })) {
    hash.update(piece as Buffer);
    onBytes((done += (piece as Buffer).length), end);
  }
  return hash.digest();
}
