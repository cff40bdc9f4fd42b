import type { Clock } from '../../application/ports/clock.js';
import type { MasterSeal } from '../../application/ports/key-vault.js';
import { type Subject, type SubjectKeyTable, SubjectVault, type WrappedKey } from '../security/subject-vault.js';

/** Keys of data subjects in memory; sealed and opened as with PostgreSQL. */
export class MemoryKeyVault extends SubjectVault {
  constructor(master: MasterSeal, clock: Pick<Clock, 'nowMs'>, table: SubjectKeyTable = new MemorySubjectKeys()) {
    super(table, master, clock);
  }
}

/** Shared by two vaults it stands for two processes on one database. */
export class MemorySubjectKeys implements SubjectKeyTable {
  readonly #rows = new Map<string, Subject & { readonly wrapped: WrappedKey }>();

  find(subjects: readonly Subject[]): Promise<ReadonlyArray<Subject & { readonly wrapped: WrappedKey }>> {
    return Promise.resolve(subjects.flatMap((subject) => this.#rows.get(nameOf(subject)) ?? []));
  }

  insert(subject: Subject, wrapped: Buffer): Promise<WrappedKey> {
    const row = this.#rows.get(nameOf(subject)) ?? { ...subject, wrapped };
    this.#rows.set(nameOf(subject), row);
    return Promise.resolve(row.wrapped);
  }

  destroy(subject: Subject): Promise<void> {
    this.#rows.set(nameOf(subject), { ...subject, wrapped: null });
    return Promise.resolve();
  }
}

const nameOf = ({ tenantId, subject }: Subject): string => `${tenantId}/${subject}`;
