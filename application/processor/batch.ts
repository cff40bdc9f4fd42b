import { type Command, type Outcome, Unavailable } from '../commands.js';
import { commandDefinition } from '../deciders.js';
import { AppendRejected, type AppendResult, type SealedEvent } from '../ports/event-log.js';
import type { Decision, Work } from './work.js';

export interface Waiting {
  readonly command: Command;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  /** It came from another process, which thinks that this one leads: it is not sent on. */
  readonly isHanded: boolean;
  rounds: number;
}

export interface Settled {
  readonly waiting: Waiting;
  readonly decision: Decision;
}

/** A batch that was decided and has not been sent. */
export interface Decided {
  readonly work: Work;
  readonly settled: readonly Settled[];
}

export type Appended = Extract<AppendResult, { status: 'appended' }>;
export type Sent = AppendResult | { readonly status: 'failed'; readonly error: unknown };
export type Failed = Exclude<Sent, { status: 'appended' }>;

/** A batch on its way to the log. */
export interface Batch extends Decided {
  readonly sealed: readonly SealedEvent[];
  readonly expectedRevision: number;
  readonly result: Promise<Sent>;
  done: boolean;
}

/** A command by its work: instructions posted together count each. */
export function weightOf(command: Command): number {
  return command.name === 'post-entries' ? (command as Command<'post-entries'>).payload.instructions.length : 1;
}

/** Carried out a second time it answers as it did the first. */
export function isRepeatable(command: Command): boolean {
  const inner = commandDefinition(command.name).innerKeys?.(command.payload) ?? [];
  return command.idempotency !== undefined || inner.length > 0;
}

/** Who waits for these batches, in their order. */
export function waitingOf(batches: readonly Decided[]): Waiting[] {
  return batches.flatMap((batch) => batch.settled.map(({ waiting }) => waiting));
}

/** Neither appended nor refused, as far as is known. */
export function isOpen(result: Sent): boolean {
  return result.status === 'failed' && !(result.error instanceof AppendRejected);
}

/** What callers are told of an append that failed. */
export function unreachable(result: Sent): Unavailable {
  return new Unavailable('the log could not be reached', result.status === 'failed' ? { cause: result.error } : {});
}
