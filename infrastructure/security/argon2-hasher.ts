import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Options, hash, hashSync, parseOptions, verify } from '@node-rs/argon2';
import { Overloaded } from '../../application/commands.js';
import type { PasswordHasher } from '../../application/ports/password-hasher.js';

export interface Argon2Settings {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  /** Hashes computed at once. Node's pool has four threads, and files and name look-ups need one. */
  readonly concurrency: number;
  /** Further ones that may wait; one more is refused with `Overloaded`. */
  readonly waiting: number;
}

/** Memory and passes: OWASP's Password Storage Cheat Sheet for Argon2id. At most 3 × 19 MiB are in use at once. */
const DEFAULT_ARGON2: Argon2Settings = {
  memoryKiB: 19_456,
  passes: 2,
  lanes: 1,
  concurrency: Math.min(3, availableParallelism()),
  waiting: 500,
};

/** The numbers of the PHC text: Argon2id, version 1.3. */
const ARGON2ID = 2;
const VERSION_13 = 1;

/** Argon2id. A flood of log-ins waits in a bounded queue and is then refused; it cannot exhaust memory. */
export class Argon2Hasher implements PasswordHasher {
  readonly decoy: string;
  readonly #settings: Argon2Settings;
  readonly #options: Options;
  readonly #queue: Array<() => void> = [];
  #running = 0;

  constructor(settings: Partial<Argon2Settings> = {}) {
    this.#settings = { ...DEFAULT_ARGON2, ...settings };
    const { memoryKiB, passes, lanes } = this.#settings;
    // Argon2id, version 1.3 and a random salt of 16 bytes are the library's defaults.
    this.#options = { memoryCost: memoryKiB, timeCost: passes, parallelism: lanes };
    this.decoy = hashSync(randomBytes(32), this.#options);
  }

  hash(secret: string): Promise<string> {
    return this.#limited(() => hash(secret, this.#options));
  }

  verify(stored: string, secret: string): Promise<boolean> {
    return this.#limited(() => verify(stored, secret).catch(() => false));
  }

  isOutdated(stored: string): boolean {
    const { memoryKiB, passes, lanes } = this.#settings;
    try {
      const { algorithm, version, memoryCost, timeCost, parallelism } = parseOptions(stored);
      const same = memoryCost === memoryKiB && timeCost === passes && parallelism === lanes;
      return !same || (algorithm as number) !== ARGON2ID || (version as number) !== VERSION_13;
    } catch {
      return true;
    }
  }

  async #limited<T>(run: () => Promise<T>): Promise<T> {
    const { concurrency, waiting } = this.#settings;
    if (this.#running >= concurrency) {
      if (this.#queue.length >= waiting) throw new Overloaded(2);
      // The one that ends hands its place on.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#running += 1;
    try {
      return await run();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
