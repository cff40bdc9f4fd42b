import type { LogCensus } from '../ports/book-queries.js';
import type { EventLog } from '../ports/event-log.js';
import { type ComparePorts, type CompareReport, compareTenant } from './compare.js';
import { type VerifyReport, verifyTenant } from './verify.js';

export interface TenantAudit {
  readonly log: VerifyReport;
  /** Absent when the log itself is broken: there is nothing sound to compare with. */
  readonly readModels?: CompareReport;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly tenants: readonly TenantAudit[];
  /** What is wrong with the order over all tenants, or null. */
  readonly positions: string | null;
  readonly events: number;
}

export type AuditProgress = (step: {
  readonly tenantId: string;
  readonly phase: 'log' | 'read-models';
  readonly done: number;
  readonly of: number;
}) => void;

/** `corebook audit verify`: every tenant's log from its first event, the read models against it, the order over all. */
export async function auditAll(
  ports: ComparePorts & { readonly log: EventLog; readonly census: LogCensus },
  options: { readonly tenantIds?: readonly string[]; readonly onProgress?: AuditProgress } = {},
): Promise<AuditReport> {
  const { log, clock, census } = ports;
  const positions = checkPositions(await census.census());
  const tenants: TenantAudit[] = [];
  for (const tenantId of options.tenantIds ?? (await log.tenants())) {
    const tell = (phase: 'log' | 'read-models') => (done: number, of: number) =>
      options.onProgress?.({ tenantId, phase, done, of });
    const { report, checks } = await verifyTenant(log, tenantId, {
      onProgress: tell('log'),
      pause: () => clock.turn(),
    });
    if (!report.ok) {
      tenants.push({ log: report });
      continue;
    }
    const folded = { tenantId, checks, head: report.logHead };
    tenants.push({ log: report, readModels: await compareTenant(ports, folded, { onProgress: tell('read-models') }) });
  }
  const sound = tenants.every((tenant) => tenant.log.ok && tenant.readModels?.ok === true);
  return {
    ok: positions === null && sound,
    tenants,
    positions,
    events: tenants.reduce((sum, tenant) => sum + tenant.log.eventsChecked, 0),
  };
}

/** Positions are dense from 1, and the log's own notes of where it and each tenant end add up. */
function checkPositions(count: Awaited<ReturnType<LogCensus['census']>>): string | null {
  const { events, firstPosition, lastPosition, headPosition, eventsByTenants } = count;
  if (events !== lastPosition) return `there are ${events} events, but the last position is ${lastPosition}`;
  if (events > 0 && firstPosition !== 1) return `the first position is ${firstPosition}`;
  if (headPosition !== lastPosition) return `the log remembers position ${headPosition}, but ends at ${lastPosition}`;
  if (eventsByTenants !== events) return `the tenants' logs should have ${eventsByTenants} events, not ${events}`;
  return null;
}
