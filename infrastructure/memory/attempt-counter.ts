import type { AttemptCounter } from '../../application/ports/one-time-passwords.js';

interface Kept {
  failures: number;
  countedFrom: string;
  expiresAt: string;
  lockedUntil: string | null;
}

/** Wrong attempts in memory, for tests. */
export class MemoryAttemptCounter implements AttemptCounter {
  readonly #kept = new Map<string, Kept>();

  lockedUntil(tenantId: string, subject: string, nowIso: string): Promise<string | null> {
    const until = this.#kept.get(`${tenantId} ${subject}`)?.lockedUntil ?? null;
    return Promise.resolve(until !== null && until > nowIso ? until : null);
  }

  fail(tenantId: string, subject: string, limit: number, lockMinutes: number, nowIso: string): Promise<string | null> {
    const key = `${tenantId} ${subject}`;
    const lockMs = lockMinutes * 60_000;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.lockedUntil !== null && kept.lockedUntil > nowIso) return Promise.resolve(null);
    const isOver =
      kept === undefined || kept.lockedUntil !== null || Date.parse(kept.countedFrom) <= Date.parse(nowIso) - lockMs;
    const failures = isOver ? 1 : kept.failures + 1;
    const expiresAt = new Date(Date.parse(nowIso) + lockMs).toISOString();
    const lockedUntil = failures >= limit ? expiresAt : null;
    this.#kept.set(key, { failures, countedFrom: isOver ? nowIso : kept.countedFrom, expiresAt, lockedUntil });
    return Promise.resolve(lockedUntil);
  }

  clear(tenantId: string, subject: string): Promise<void> {
    this.#kept.delete(`${tenantId} ${subject}`);
    return Promise.resolve();
  }

  purge(nowIso: string): Promise<number> {
    let removed = 0;
    for (const [key, { expiresAt }] of this.#kept) {
      if (expiresAt > nowIso) continue;
      this.#kept.delete(key);
      removed += 1;
    }
    return Promise.resolve(removed);
  }
}
