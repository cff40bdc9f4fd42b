/** Values that survive JSON exactly: no numbers with fractions, no bigint, no undefined members. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** `<kind>:<id>` of an aggregate that an event is part of. */
export type Tag = `${string}:${string}`;

/**
 * A fact as a decider states it. `key` is set by the processor when the event answers an idempotency key.
 * `effectiveAt` is the value date (YYYY-MM-DD); without one an event is effective when it is recorded.
 */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly type: Type;
  readonly version: number;
  readonly data: Data;
  readonly tags: readonly Tag[];
  readonly effectiveAt?: string;
}

/** How an aggregate's state is made from its events, kept in memory and stored between runs. */
export interface Aggregate<State, Event extends DomainEvent = DomainEvent> {
  readonly kind: string;
  /** Raise it when `State` or `evolve` changes: stored states of another version are ignored. */
  readonly stateVersion: number;
  initial(id: string): State;
  evolve(state: State, event: Event, id: string): State;
  toJson(state: State): Json;
  fromJson(json: Json): State;
}
