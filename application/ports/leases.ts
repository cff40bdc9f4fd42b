/**
 * Work that one process does while others stand by. A lease is no fence: a process that was stopped and goes on may think
 * for a moment that it still holds one. So what is written under a lease also moves a checkpoint from where it was, in the
 * same transaction (read store) or by compare-and-set (reactors). Adapter: postgres.
 */
export interface Lease {
  readonly name: string;
  /** This process holds it, as far as it knows. */
  readonly held: boolean;
  /** Who else held it when last looked; undefined: nobody. */
  readonly holder: string | undefined;
  /** Resolves when it is held; rejects with the signal's reason when that is aborted first. */
  untilHeld(signal: AbortSignal): Promise<void>;
  /** Gives it back, and stops waiting for it. */
  leave(): Promise<void>;
}

export interface Leases {
  /** How this process is called where others look who holds a lease. */
  readonly self: string;
  /** Takes the lease when it is free, now or whenever its holder gives it up or dies, until left. One call a name. */
  enter(name: string): Lease;
  /** Those that this process holds or waits for. */
  readonly entered: readonly Lease[];
  /** Who holds these leases; those that nobody holds are left out. */
  holders(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Gives everything back. */
  close(): Promise<void>;
}
