import type { AuditService, ChainReport, ReplayedState } from '../ports/audit.js';
import type { Clock } from '../ports/clock.js';
import type { ReadModels } from '../ports/read-models.js';
import { indexedEvents, scannedEvents } from './aggregate-events.js';
import { replayAggregate } from './replay.js';
import { type AuditedLog, verifyTenant } from './verify.js';

/** Events whose hashes one call recomputes at most: a few seconds. The answer says how far it came. */
const MOST_EVENTS_PER_CALL = 200_000;
/** Longest wait for the read models before an aggregate's events are looked for in the whole log instead. */
const WAIT_MS = 1_000;

export interface AuditHelp {
  /** Lets others run during long checks. */
  readonly clock?: Clock;
  /** Finds an aggregate's events by index; absent: by reading the tenant's whole log. */
  readonly readModels?: Pick<ReadModels, 'waitFor' | 'auditEventsByTag'>;
  readonly mostEventsPerCall?: number;
}

/** Answers the HTTP edge from the log. Read models only help to find an aggregate's events. */
export class EventLogAuditService implements AuditService {
  constructor(
    private readonly log: AuditedLog,
    private readonly help: AuditHelp = {},
  ) {}

  async replay(
    tenantId: string,
    aggregateType: string,
    aggregateId: string,
    until: { readonly revision?: number; readonly at?: string },
  ): Promise<ReplayedState | undefined> {
    const { log } = this;
    const { readModels } = this.help;
    const head = await log.head(tenantId);
    const seen = readModels !== undefined && (await readModels.waitFor(head.position, WAIT_MS));
    const source = seen ? indexedEvents(log, readModels) : scannedEvents(log);
    const revision = Math.min(until.revision ?? head.revision, head.revision);
    return replayAggregate(source, tenantId, aggregateType, aggregateId, { ...until, revision });
  }

  async verifyChain(tenantId: string, range: { readonly from?: number; readonly to?: number }): Promise<ChainReport> {
    const { clock, mostEventsPerCall = MOST_EVENTS_PER_CALL } = this.help;
    const from = range.from ?? 0;
    const logHead = await this.log.head(tenantId);
    // Past the end there is nothing that could be broken.
    if (from > logHead.revision) return { ok: true, checkedFrom: -1, checkedTo: -1, head: logHead.hash };
    const to = Math.min(range.to ?? Number.MAX_SAFE_INTEGER, from + mostEventsPerCall - 1);
    const pause = clock === undefined ? {} : { pause: () => clock.turn() };
    const { report } = await verifyTenant(this.log, tenantId, { from, to, checks: 'chain', ...pause });
    const { ok, checkedFrom, checkedTo, head, firstBreak } = report;
    return { ok, checkedFrom, checkedTo, head, ...(firstBreak === undefined ? {} : { firstBreak }) };
  }
}
