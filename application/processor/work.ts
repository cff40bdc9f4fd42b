import { type AggregateKind, type StateOf, aggregateOf, evolveTag, tagOf } from '../../domain/aggregates.js';
import type { Actor, DecisionContext, EventDraft, KeyAnswer } from '../../domain/shared/decider.js';
import type { DomainEvent, Tag } from '../../domain/shared/event.js';
import { type Refusal, refuse } from '../../domain/shared/refusal.js';
import type { Command, CommittedEvent } from '../commands.js';
import { type Peek, commandDefinition } from '../deciders.js';
import type { IdSource } from '../ports/clock.js';
import type { CachedState } from './aggregate-cache.js';
import type { TenantMemory } from './tenant-memory.js';

/** What a command needs and memory does not have. */
export interface Missing {
  readonly tags: Tag[];
  readonly events: string[];
}

/** An event of a batch with what goes into its meta and its key column. */
export interface DecidedEvent {
  readonly event: DomainEvent;
  readonly meta: string;
  readonly keyId: string | undefined;
}

/** A part of a command's result: an event of this batch, or the answer that a key got before. */
export type ResultPart = { readonly index: number } | { readonly replay: KeyAnswer };

export type Decision =
  | { readonly status: 'accepted'; readonly parts: readonly ResultPart[]; readonly count: number }
  | {
      readonly status: 'refused';
      readonly refusal: Refusal;
      readonly replayed: boolean;
      /** Keys that memory does not know and this refusal leaves free: the log may know what they answered. */
      readonly unknownKeys: readonly string[];
    }
  /** The header key was answered before: read that commit. */
  | { readonly status: 'replay'; readonly answer: KeyAnswer };

/** Thrown by the reader; one object, because it is thrown often and its stack is of no use. */
const MISSING = { missing: true } as const;

/** What a command's own aggregates have become is remembered here to undo it: one list a batch, cut at savepoints. */
type Undo =
  | { readonly tag: Tag; readonly entry: CachedState; readonly state: unknown; readonly touched: number }
  | { readonly keyId: string };

/**
 * One batch in the making: runs deciders one after another on the states left by the ones before, collects their
 * events, and can undo everything when the append does not happen.
 */
export class Work implements DecisionContext {
  readonly decided: DecidedEvent[] = [];
  readonly tenantId: string;
  readonly now: string;
  readonly today: string;
  actor: Actor = { subject: '', roles: [] };

  readonly #memory: TenantMemory;
  readonly #ids: IdSource;
  readonly #undo: Undo[] = [];
  /** Revision of the first event of this batch. */
  readonly #firstRevision: number;
  #missing: Missing | undefined;
  #parts: ResultPart[] = [];
  #commandMeta = '';
  #metaOpen = '';

  constructor(tenantId: string, firstRevision: number, now: string, memory: TenantMemory, ids: IdSource) {
    this.tenantId = tenantId;
    this.#firstRevision = firstRevision;
    this.now = now;
    this.today = now.slice(0, 10);
    this.#memory = memory;
    this.#ids = ids;
  }

  /** Decides one command; answers what is missing when memory does not have it all (then nothing has changed). */
  run(command: Command): Decision | { readonly missing: Missing } {
    const definition = commandDefinition(command.name);
    const { idempotency } = command;
    if (idempotency !== undefined) {
      const answer = this.#memory.keys.get(idempotency.id);
      if (answer !== undefined) return decideReplay(answer, idempotency.requestHash);
    }
    const savedUndo = this.#undo.length;
    const savedEvents = this.decided.length;
    this.actor = command.actor;
    this.#parts = [];
    this.#missing = undefined;
    this.#metaOpen = `{"actor":${JSON.stringify(command.actor.subject)},"correlation":${JSON.stringify(command.correlationId)}`;
    this.#commandMeta = `${this.#metaOpen}}`;
    // A keyed command with keyed parts is answered by an event of its own, before its parts.
    const answersByItself = idempotency !== undefined && definition.innerKeys !== undefined;
    let refusal: Refusal | undefined;
    try {
      if (answersByItself) this.#placeAnswer();
      refusal = definition.decide(command.payload, this);
    } catch (thrown) {
      this.#rollback(savedUndo, savedEvents);
      if (thrown !== MISSING) throw thrown;
      return { missing: this.#allMissing(command) };
    }
    if (refusal !== undefined) {
      this.#rollback(savedUndo, savedEvents);
      return this.#refused(command, refusal);
    }
    if (idempotency !== undefined) {
      if (answersByItself) this.#fillAnswer(command.name, savedEvents, idempotency);
      else this.#keyFirst(command.name, savedEvents, idempotency);
    }
    return { status: 'accepted', parts: this.#parts, count: this.decided.length - savedEvents };
  }

  state<K extends AggregateKind>(kind: K, id: string): StateOf<K> {
    const tag = tagOf(kind, id);
    const entry = this.#memory.states.get(tag);
    if (entry === undefined) {
      this.#missing = { tags: [tag], events: [] };
      throw MISSING;
    }
    return entry.state as StateOf<K>;
  }

  event(id: string): DomainEvent | undefined {
    const found = this.#memory.events.get(id);
    if (found === undefined) {
      // It may have been posted a moment ago, in this batch.
      const fresh = this.decided.find((decided) => decided.event.id === id);
      if (fresh !== undefined) return fresh.event;
      this.#missing = { tags: [], events: [id] };
      throw MISSING;
    }
    return found ?? undefined;
  }

  answered(keyId: string): KeyAnswer | undefined {
    return this.#memory.keys.get(keyId);
  }

  replay(answer: KeyAnswer): void {
    this.#parts.push({ replay: answer });
  }

  newId(): string {
    return this.#ids.eventId();
  }

  emit(draft: EventDraft): DomainEvent {
    const event: { -readonly [K in keyof DomainEvent]: DomainEvent[K] } = {
      id: this.#ids.eventId(),
      type: draft.type,
      version: draft.version,
      data: draft.data,
      tags: draft.tags,
    };
    if (draft.effectiveAt !== undefined) event.effectiveAt = draft.effectiveAt;
    const { key } = draft;
    const index = this.decided.length;
    const meta = key === undefined ? this.#commandMeta : `${this.#metaOpen},"requestHash":"${key.requestHash}"}`;
    this.decided.push({ event, meta, keyId: key?.id });
    this.#parts.push({ index });
    if (key !== undefined)
      this.#remember(key.id, { requestHash: key.requestHash, revision: this.#firstRevision + index, events: 1 });
    for (const tag of draft.tags) this.#evolve(tag, event, this.#firstRevision + index);
    return event;
  }

  /** Takes back everything that this batch did to memory. */
  undoAll(): void {
    this.#rollback(0, 0);
  }

  #evolve(tag: Tag, event: DomainEvent, revision: number): void {
    const { states } = this.#memory;
    let entry = states.get(tag);
    if (entry === undefined) {
      // An aggregate that the decider did not read: only one that cannot exist yet may be folded without loading.
      const found = aggregateOf(tag);
      if (found === undefined) return;
      if (found.aggregate.kind !== 'hold' || event.type !== 'hold-placed') {
        this.#missing = { tags: [tag], events: [] };
        throw MISSING;
      }
      entry = states.set(tag, found.aggregate.initial(found.id), -1);
    }
    this.#undo.push({ tag, entry, state: entry.state, touched: entry.touched });
    entry.state = evolveTag(tag, entry.state, event);
    entry.touched = revision;
  }

  #remember(keyId: string, answer: KeyAnswer): void {
    this.#memory.keys.set(keyId, answer);
    this.#undo.push({ keyId });
  }

  #rollback(undoLength: number, eventCount: number): void {
    for (let i = this.#undo.length - 1; i >= undoLength; i -= 1) {
      const step = this.#undo[i];
      if (step === undefined) continue;
      if ('keyId' in step) {
        this.#memory.keys.delete(step.keyId);
      } else {
        step.entry.state = step.state;
        step.entry.touched = step.touched;
      }
    }
    this.#undo.length = undoLength;
    this.decided.length = eventCount;
  }

  /** Everything the command says it reads and memory lacks, and what it was looking for when it stopped. */
  #allMissing(command: Command): Missing {
    const missing = this.#missing ?? { tags: [], events: [] };
    const tags = new Set(missing.tags);
    const peek: Peek = (kind, id) => this.#memory.states.get(tagOf(kind, id))?.state as never;
    for (const tag of commandDefinition(command.name).reads(command.payload, this.tenantId, peek)) {
      if (!this.#memory.states.has(tag)) tags.add(tag);
    }
    return { tags: [...tags], events: missing.events };
  }

  #refused(command: Command, refusal: Refusal): Decision {
    const definition = commandDefinition(command.name);
    const fresh = new Map<string, { text: string; id: string; requestHash: string }>();
    const keys = [...(definition.innerKeys?.(command.payload) ?? [])];
    if (command.idempotency !== undefined) keys.unshift({ text: '', ...command.idempotency });
    for (const key of keys)
      if (this.#memory.keys.get(key.id) === undefined && !fresh.has(key.id)) fresh.set(key.id, key);
    if (refusal.refused === 'idempotency-key-reused')
      return { status: 'refused', refusal, replayed: false, unknownKeys: [] };
    if (!definition.recordsRefusals || NEVER_RECORDED.has(refusal.refused)) {
      return { status: 'refused', refusal, replayed: false, unknownKeys: [...fresh.keys()] };
    }
    for (const key of fresh.values()) this.#record(command.name, refusal, key);
    return { status: 'refused', refusal, replayed: keys.length > 0 && fresh.size === 0, unknownKeys: [] };
  }

  #record(operation: string, refusal: Refusal, key: { text: string; id: string; requestHash: string }): void {
    const index = this.decided.length;
    this.decided.push({
      event: {
        id: this.#ids.eventId(),
        type: 'command-refused',
        version: 1,
        data: { operation, ...refusal, ...(key.text === '' ? {} : { instructionKey: key.text }) },
        tags: [],
      },
      meta: `${this.#metaOpen},"requestHash":"${key.requestHash}"}`,
      keyId: key.id,
    });
    this.#remember(key.id, { requestHash: key.requestHash, revision: this.#firstRevision + index, events: 1, refusal });
  }

  #placeAnswer(): void {
    this.decided.push({
      event: { id: this.#ids.eventId(), type: 'command-accepted', version: 1, data: {}, tags: [] },
      meta: this.#commandMeta,
      keyId: undefined,
    });
  }

  #fillAnswer(operation: string, index: number, key: { id: string; requestHash: string }): void {
    const placed = this.decided[index];
    if (placed === undefined) throw new Error('the answering event is not there');
    const events = this.decided.length - index;
    const replays = this.#parts.flatMap((part, at) =>
      'replay' in part ? [{ index: at, revision: part.replay.revision }] : [],
    );
    this.decided[index] = {
      event: { ...placed.event, data: { operation, ...(replays.length === 0 ? {} : { replays }) } },
      meta: `${this.#metaOpen},"requestHash":"${key.requestHash}","events":"${events}"}`,
      keyId: key.id,
    };
    this.#remember(key.id, { requestHash: key.requestHash, revision: this.#firstRevision + index, events });
  }

  /** The first event of a keyed command carries the key; a command without events gets one to carry it. */
  #keyFirst(operation: string, index: number, key: { id: string; requestHash: string }): void {
    const first = this.decided[index];
    const events = Math.max(1, this.decided.length - index);
    const meta = `${this.#metaOpen},"requestHash":"${key.requestHash}","events":"${events}"}`;
    this.decided[index] =
      first === undefined
        ? {
            event: { id: this.#ids.eventId(), type: 'command-accepted', version: 1, data: { operation }, tags: [] },
            meta,
            keyId: key.id,
          }
        : { event: first.event, meta, keyId: key.id };
    this.#remember(key.id, { requestHash: key.requestHash, revision: this.#firstRevision + index, events });
  }
}

/** Refusals that are about who may ask, or that have no log to be recorded in. */
const NEVER_RECORDED: ReadonlySet<string> = new Set(['authority-required', 'tenant-not-found', 'tenant-suspended']);

function decideReplay(answer: KeyAnswer, requestHash: string): Decision {
  if (answer.requestHash !== requestHash) {
    const refusal = refuse('idempotency-key-reused', 'this idempotency key was used for another request');
    return { status: 'refused', refusal, replayed: false, unknownKeys: [] };
  }
  return answer.refusal === undefined
    ? { status: 'replay', answer }
    : { status: 'refused', refusal: answer.refusal, replayed: true, unknownKeys: [] };
}

/** The part of an event that answers are made from. */
export function committed(event: DomainEvent, recordedAt: string, metaText: string): CommittedEvent {
  return {
    id: event.id,
    type: event.type,
    version: event.version,
    data: event.data,
    tags: event.tags,
    recordedAt,
    effectiveAt: event.effectiveAt ?? recordedAt.slice(0, 10),
    meta: JSON.parse(metaText) as Record<string, string>,
  };
}
