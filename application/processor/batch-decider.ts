import type { Tag } from '../../domain/shared/event.js';
import { Unavailable } from '../commands.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { LogHead, SealedEvent } from '../ports/event-log.js';
import type { Decided, Settled, Waiting } from './batch.js';
import { seal } from './seal.js';
import type { TenantMemory } from './tenant-memory.js';
import { Work } from './work.js';

/** Rounds of loading that one batch may need: a command may look in one place to learn the next, not for ever. */
const MAX_LOAD_ROUNDS = 12;

/** Decides the commands of a batch one after another, each on what those before it did, and loads what they miss. */
export class BatchDecider {
  constructor(
    private readonly tenantId: string,
    private readonly memory: TenantMemory,
    private readonly ports: { readonly clock: Clock; readonly ids: IdSource },
  ) {}

  /** Decides a batch on top of `head`; what its commands need is in memory afterwards. If it throws, nothing of it is. */
  async decide(taken: readonly Waiting[], head: LogHead): Promise<Decided> {
    await this.memory.makeRoom();
    this.memory.events.clear();
    const work = new Work(
      this.tenantId,
      head.revision + 1,
      recordingTime(this.ports.clock, head),
      this.memory,
      this.ports.ids,
    );
    try {
      return { work, settled: await this.#runAll(work, taken) };
    } catch (error) {
      work.undoAll();
      throw error;
    }
  }

  /** Runs every command of the batch, loading what they miss, until all are decided. */
  async #runAll(work: Work, taken: readonly Waiting[]): Promise<Settled[]> {
    const settled: Settled[] = [];
    const lookedUp = new Set<string>();
    let open: readonly Waiting[] = taken;
    for (let round = 0; open.length > 0; round += 1) {
      const again: Waiting[] = [];
      const tags = new Set<Tag>();
      const events = new Set<string>();
      const keys = new Set<string>();
      for (const waiting of open) {
        let result: ReturnType<Work['run']>;
        try {
          result = work.run(waiting.command);
        } catch (defect) {
          waiting.reject(defect);
          continue;
        }
        if ('missing' in result) {
          again.push(waiting);
          for (const tag of result.missing.tags) tags.add(tag);
          for (const id of result.missing.events) events.add(id);
          continue;
        }
        // No append will tell whether these keys were answered before: a refusal that leaves them free must ask.
        const unknown = result.status === 'refused' ? result.unknownKeys.filter((key) => !lookedUp.has(key)) : [];
        if (unknown.length === 0) settled.push({ waiting, decision: result });
        else again.push(waiting);
        for (const key of unknown) keys.add(key);
      }
      if (round >= MAX_LOAD_ROUNDS) {
        for (const waiting of again)
          waiting.reject(new Unavailable('a command needs more rounds of loading than there may be'));
        return settled;
      }
      open = again;
      if (tags.size > 0) await this.memory.load([...tags]);
      if (events.size > 0) await this.memory.loadEvents([...events]);
      if (keys.size > 0) await this.memory.learn([...keys]);
      for (const key of keys) lookedUp.add(key);
    }
    return settled;
  }
}

/** Time never runs backwards in a log. */
function recordingTime(clock: Clock, head: LogHead): string {
  const now = new Date(clock.nowMs()).toISOString();
  return now > head.recordedAt ? now : head.recordedAt;
}

/** The batch's events as they are stored, each chained to the one before it. */
export function sealBatch(tenantId: string, work: Work, head: LogHead): SealedEvent[] {
  let { hash, revision } = head;
  const sealed: SealedEvent[] = [];
  for (const { event, meta, keyId } of work.decided) {
    revision += 1;
    const next = seal(tenantId, revision, hash, work.now, event, meta, keyId);
    hash = next.hash;
    sealed.push(next);
  }
  return sealed;
}
