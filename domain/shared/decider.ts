import type { AggregateKind, StateOf } from '../aggregates.js';
import type { DomainEvent, Tag } from './event.js';
import type { Refusal } from './refusal.js';

/** Who asks. `subject` is stored with the event and shown to auditors; it is an id, never a name or an address. */
export interface Actor {
  readonly subject: string;
  readonly roles: readonly Role[];
  /** For CUSTOMER: the customer whose accounts he may touch. */
  readonly customerId?: string;
  /** For those who work for an agent: which. */
  readonly agentId?: string;
}

export const ROLES = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'PARTNER', 'AUDITOR', 'ANALYST'] as const;
export type Role = (typeof ROLES)[number];

/** What an idempotency key answered, as found in the log. */
export interface KeyAnswer {
  readonly requestHash: string;
  /** Revision of the event that carries the key: the first of its commit. */
  readonly revision: number;
  /** Events of the commit, that one included. */
  readonly events: number;
  /** The refusal that was the answer, if it was one. */
  readonly refusal?: Refusal;
}

/** An event before it has an id: `emit` gives it one. */
export type EventDraft = {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
  readonly tags: readonly Tag[];
  readonly effectiveAt?: string;
  /** Idempotency key of this part of the command (see `keyOf`); its request hash goes with it. */
  readonly key?: { readonly id: string; readonly requestHash: string } | undefined;
};

/**
 * All that a decider may see. Reading what is not in memory throws `Missing`: the processor loads it and runs the
 * decider again, so a decider stays pure and synchronous and may be run any number of times.
 */
export interface DecisionContext {
  readonly tenantId: string;
  /** Recorded time of the commit, ISO 8601 UTC with milliseconds. */
  readonly now: string;
  /** Date part of `now`. */
  readonly today: string;
  readonly actor: Actor;
  state<K extends AggregateKind>(kind: K, id: string): StateOf<K>;
  /** An event of this tenant by its id, or undefined. */
  event(id: string): DomainEvent | undefined;
  /** What this key answered before, or undefined when it is new as far as memory knows (the log has the last word). */
  answered(keyId: string): KeyAnswer | undefined;
  /** Puts the first answer of a key in the place where a new event would stand in the command's result. */
  replay(answer: KeyAnswer): void;
  /** An id of the same form as event ids, for things that an event names (holds). */
  newId(): string;
  /** States a fact: gives it an id, and every later read of this command sees it. */
  emit(draft: EventDraft): DomainEvent;
}

/** Decides one kind of command: emits events, or emits nothing and answers a refusal. */
export type Decide<Payload> = (payload: Payload, context: DecisionContext) => Refusal | undefined;
