/** Time and randomness come through here, so that simulation and replay mean something. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when everything that is ready to run now has run: callers of the same moment share a batch. */
  turn(): Promise<void>;
}

export interface IdSource {
  /** A new event id: a ULID in UUID notation with its last 16 bits zero (domain/shared/ids.ts). */
  eventId(): string;
  /** A fraction in [0, 1), for jitter. */
  random(): number;
}
