/** Remembers what may be used only once until it expires. Adapters: postgres, memory; one contract suite. */
export interface ReplayGuard {
  /**
   * True when this id was not used before, or by the same `use` (the retry of a request that has an idempotency key).
   * Atomic: of two uses at once one is the first. `id` and `use` are digests of 64 hex digits.
   */
  mayUse(tenantId: string, id: string, use: string, expiresAt: string): Promise<boolean>;
  /** Removes what expired before `nowIso`; answers how many. */
  purge(nowIso: string): Promise<number>;
}
