import type { ReplayGuard } from '../../application/ports/replay-guard.js';

/** What was used once in memory, for tests and simulation. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly #used = new Map<string, { readonly use: string; readonly expiresAt: string }>();

  mayUse(tenantId: string, id: string, use: string, expiresAt: string): Promise<boolean> {
    const name = `${tenantId}/${id}`;
    const before = this.#used.get(name);
    if (before === undefined) this.#used.set(name, { use, expiresAt });
    return Promise.resolve(before === undefined || before.use === use);
  }

  purge(nowIso: string): Promise<number> {
    const expired = [...this.#used].filter(([, { expiresAt }]) => expiresAt < nowIso);
    for (const [name] of expired) this.#used.delete(name);
    return Promise.resolve(expired.length);
  }
}
