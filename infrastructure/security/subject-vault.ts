import { randomBytes } from 'node:crypto';
import { hasPassed } from '../../application/elapsed.js';
import type { Clock } from '../../application/ports/clock.js';
import { type KeyVault, type MasterSeal, SealBroken, SubjectErased } from '../../application/ports/key-vault.js';
import type { Json } from '../../domain/shared/event.js';
import type { SealedPerson } from '../../domain/shared/person.js';
import { KEY_BYTES, openAes, sealAes } from './aes-gcm.js';

export interface Subject {
  readonly tenantId: string;
  readonly subject: string;
}
/** `null`: destroyed for good. */
export type WrappedKey = Buffer | null;

/** Where the wrapped keys are. */
export interface SubjectKeyTable {
  /** All in one query; those that have no row are left out. */
  find(subjects: readonly Subject[]): Promise<ReadonlyArray<Subject & { readonly wrapped: WrappedKey }>>;
  /** Keeps what stands there already; answers what stands there now. */
  insert(subject: Subject, wrapped: Buffer): Promise<WrappedKey>;
  /** Leaves a mark, also where there was no key. */
  destroy(subject: Subject): Promise<void>;
}

interface Remembered {
  /** `null`: destroyed. */
  readonly key: Buffer | null;
  readonly loadedMs: number;
}

/** So long a key is used without asking: one destroyed in another process opens nothing here after it. */
const TRUST_MS = 5_000;
/** Opened keys in memory; when they are this many, the memory starts anew. */
const MAX_REMEMBERED = 20_000;
const TEXT_PREFIX = 'v1.';

const nameOf = ({ tenantId, subject }: Subject): string => `${tenantId}/${subject}`;

/** The crypto of the key vault and its memory of keys, over a table of wrapped keys. */
export class SubjectVault implements KeyVault {
  readonly #table: SubjectKeyTable;
  readonly #master: MasterSeal;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #keys = new Map<string, Remembered>();
  /** Raised by `destroy`: what was asked for before is not remembered. */
  #generation = 0;

  constructor(table: SubjectKeyTable, master: MasterSeal, clock: Pick<Clock, 'nowMs'>) {
    this.#table = table;
    this.#master = master;
    this.#clock = clock;
  }

  async seal(tenantId: string, subject: string, plain: Json): Promise<SealedPerson> {
    const key = await this.#sealingKey({ tenantId, subject });
    const sealed = sealAes(key, [tenantId, subject, 'person'], Buffer.from(JSON.stringify(plain), 'utf8'));
    return { subject, sealed: TEXT_PREFIX + sealed.toString('base64url') };
  }

  async open(
    items: ReadonlyArray<{ readonly tenantId: string; readonly person: SealedPerson }>,
  ): Promise<Array<Json | undefined>> {
    const keys = await this.#openingKeys(items.map(({ tenantId, person }) => ({ tenantId, subject: person.subject })));
    return items.map(({ tenantId, person: { subject, sealed } }) => {
      const key = keys.get(nameOf({ tenantId, subject }));
      if (key === undefined) throw new SealBroken('nothing was ever sealed for this subject');
      if (key === null) return undefined;
      if (!sealed.startsWith(TEXT_PREFIX)) throw new SealBroken('not a sealed text');
      const box = Buffer.from(sealed.slice(TEXT_PREFIX.length), 'base64url');
      return JSON.parse(openAes(key, [tenantId, subject, 'person'], box).toString('utf8')) as Json;
    });
  }

  async sealBytes(tenantId: string, subject: string, plain: Buffer): Promise<Buffer> {
    return sealAes(await this.#sealingKey({ tenantId, subject }), [tenantId, subject, 'bytes'], plain);
  }

  async openBytes(tenantId: string, subject: string, sealed: Buffer): Promise<Buffer | undefined> {
    const keys = await this.#openingKeys([{ tenantId, subject }]);
    const key = keys.get(nameOf({ tenantId, subject }));
    if (key === undefined) throw new SealBroken('nothing was ever sealed for this subject');
    return key === null ? undefined : openAes(key, [tenantId, subject, 'bytes'], sealed);
  }

  async destroy(tenantId: string, subject: string): Promise<void> {
    const name = nameOf({ tenantId, subject });
    await this.#table.destroy({ tenantId, subject });
    this.#generation += 1;
    this.#remember(name, { key: null, loadedMs: this.#clock.nowMs() });
  }

  async #sealingKey(subject: Subject): Promise<Buffer> {
    const name = nameOf(subject);
    let key = (await this.#openingKeys([subject])).get(name);
    if (key === undefined) {
      const [generation, loadedMs] = [this.#generation, this.#clock.nowMs()];
      const wrapped = this.#master.seal(purposeOf(subject), randomBytes(KEY_BYTES));
      // Of two processes that make the first key at once both get the one that stands.
      key = this.#unwrap(subject, await this.#table.insert(subject, wrapped));
      if (generation === this.#generation) this.#remember(name, { key, loadedMs });
    }
    if (key === null) throw new SubjectErased('the key of this subject was destroyed');
    return key;
  }

  /** Keys by `nameOf`; whatever memory does not know is asked for in one query. */
  async #openingKeys(subjects: readonly Subject[]): Promise<ReadonlyMap<string, Buffer | null>> {
    const [generation, now] = [this.#generation, this.#clock.nowMs()];
    const keys = new Map<string, Buffer | null>();
    const missing = new Map<string, Subject>();
    for (const subject of subjects) {
      const name = nameOf(subject);
      const known = this.#keys.get(name);
      // What is destroyed stays so.
      if (known !== undefined && (known.key === null || !hasPassed(TRUST_MS, known.loadedMs, now)))
        keys.set(name, known.key);
      else missing.set(name, subject);
    }
    if (missing.size === 0) return keys;
    for (const row of await this.#table.find([...missing.values()])) {
      const key = this.#unwrap(row, row.wrapped);
      keys.set(nameOf(row), key);
      if (generation === this.#generation) this.#remember(nameOf(row), { key, loadedMs: now });
    }
    return keys;
  }

  #unwrap(subject: Subject, wrapped: WrappedKey): Buffer | null {
    return wrapped === null ? null : this.#master.open(purposeOf(subject), wrapped);
  }

  #remember(name: string, remembered: Remembered): void {
    if (this.#keys.size >= MAX_REMEMBERED) this.#keys.clear();
    this.#keys.set(name, remembered);
  }
}

/** A wrapped key opens for the person it was made for and for nobody else: rows cannot be swapped. */
function purposeOf({ tenantId, subject }: Subject): string {
  return `subject-key ${tenantId} ${subject}`;
}
