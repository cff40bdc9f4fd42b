import type { EventLog } from '../application/ports/event-log.js';
import { type EventScan, type ScanPage, scanOf } from '../application/ports/event-scan.js';
import type { ReadStore, TableChanges, Target } from '../application/ports/read-store.js';
import { type BatchPorts, projectBatch } from './project-batch.js';
import type { Projection } from './projection.js';

export interface RebuildOptions {
  /** An instance of its own: the live one remembers the live build. */
  readonly projection: Projection;
  /** A store of its own, so that the live projections do not wait behind big batches. */
  readonly store: ReadStore;
  readonly vault?: BatchPorts['vault'];
  readonly log: EventLog;
  /** A faster way through the log than `readAll`, where there is one. */
  readonly scan?: EventScan;
  readonly signal?: AbortSignal;
  /** Events looked at and events there were when it started; called after every batch. */
  readonly progress?: (done: number, total: number) => void;
  /** Events of one batch: big ones collapse more changes of the same row. */
  readonly batchEvents?: number;
}

export interface RebuildResult {
  readonly name: string;
  readonly version: number;
  readonly generation: number;
  /** Events looked at in this run. */
  readonly events: number;
}

const DEFAULT_BATCH_EVENTS = 20_000;

/**
 * Builds a projection's tables anew from the log beside the live ones, catches up, and switches the views in one
 * transaction: readers see the old rows or the new ones, never none. If it is stopped, the next run goes on where it
 * was; the live build is not touched until the switch.
 */
export async function rebuildProjection(options: RebuildOptions): Promise<RebuildResult> {
  const { projection, store, log } = options;
  const state = await store.startRebuild(projection);
  const target: Target = { projection, generation: state.generation };
  const build = new Build(options, target, state.checkpoint);
  const total = log.distance('', await log.lastPosition());
  const before = log.distance('', state.checkpoint);
  await build.run(() => options.progress?.(before + build.events, Math.max(total, before + build.events)));
  await store.finishLoading(target);
  // What came meanwhile; then the rest, while the live checkpoint is held still.
  await build.run(() => undefined);
  await store.switchTo(target, (live) => build.run(() => undefined, live));
  await dropQuietly(store);
  const { name, version } = projection;
  return { name, version, generation: target.generation, events: build.events };
}

class Build {
  events = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: RebuildOptions,
    private readonly target: Target,
    private checkpoint: string,
  ) {}

  /**
   * Projects to the end of the log, or at least to `until`. While one page is projected the one before it is being
   * written and the one after it read.
   */
  async run(progress: () => void, until?: string): Promise<void> {
    const { log, signal } = this.options;
    let page = this.#scan(this.checkpoint);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (until !== undefined && log.comparePositions(this.checkpoint, until) >= 0) break;
        const current = await page;
        if (current.next === this.checkpoint) break;
        page = this.#scan(current.next);
        await this.#apply(current);
        progress();
      }
    } finally {
      await Promise.allSettled([page, this.#writing]);
    }
    await this.#writing;
  }

  #scan(after: string): Promise<ScanPage> {
    const { projection, log, scan = scanOf(log), batchEvents: limit = DEFAULT_BATCH_EVENTS } = this.options;
    const page = scan.scan({ after, limit, types: projection.handles });
    // If projecting fails first, nobody waits for it any more.
    page.catch(() => undefined);
    return page;
  }

  /** Rows that are loaded are read behind the page that is being written, on the same connection. */
  async #apply({ events, next }: ScanPage): Promise<void> {
    const { projection, log } = this.options;
    const changes = await projectBatch(projection, this.options, this.target, events);
    await this.#writing;
    this.#writing = this.#write(this.checkpoint, next, changes);
    this.#writing.catch(() => undefined);
    // Lets the store send it before the next page is computed.
    await new Promise((resolve) => setImmediate(resolve));
    this.events += log.distance(this.checkpoint, next);
    this.checkpoint = next;
  }

  async #write(expected: string, next: string, changes: readonly TableChanges[]): Promise<void> {
    const { projection, store } = this.options;
    if ((await store.apply(this.target, expected, next, changes)) === 'stale') {
      throw new Error(`another rebuild of ${projection.name} is under way`);
    }
  }
}

/** The new build serves; tables of old ones that somebody still reads are dropped after the next rebuild. */
async function dropQuietly(store: ReadStore): Promise<void> {
  await store.dropRetired().catch(() => undefined);
}
