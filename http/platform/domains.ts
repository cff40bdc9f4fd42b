import { z } from 'zod';
import { refuse } from '../../domain/shared/refusal.js';
import { caughtUp } from '../commands.js';
import type { Call } from '../endpoint.js';
import { RequestFailed, refusalFailure } from '../problem.js';

/** White-label settings that tenants and agents have in the same form. */
const domain = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/, 'is not a host name');

export const whiteLabel = {
  name: z.string().min(1).max(512),
  domains: z.array(domain).max(20),
  branding: z.record(z.string().min(1).max(64), z.string().max(2000)),
  emailTemplates: z.record(z.string().min(1).max(64), z.string().max(20_000)),
  smsSenderId: z.string().min(1).max(32),
};

/** Under this name the last change of any tenant or agent by this process is remembered, beside those of each tenant. */
const ANY_TENANT = 'any tenant';

/** Tells later checks of this process that hosts may have changed. */
export function domainsChanged(call: Call, position: string): void {
  call.services.positions.set(ANY_TENANT, position);
}

/**
 * A host names one tenant or agent: whose it is, is known to the read model of all tenants only, so that is asked once
 * it shows what this process has changed. Two operators who give one name to two of them at the same moment both
 * succeed; the host then belongs to the one that comes first in the log, and a token of the other is refused there.
 */
export async function checkDomains(
  call: Call,
  wanted: { readonly tenantId: string; readonly agentId: string | null },
  domains: readonly string[] | undefined,
): Promise<void> {
  if (domains === undefined || domains.length === 0) return;
  await caughtUp(call, ANY_TENANT);
  for (const [index, name] of domains.entries()) {
    const owner = await call.services.readModels.domainOwner(name);
    if (owner === undefined) continue;
    if (owner.tenantId === wanted.tenantId && owner.agentId === wanted.agentId) continue;
    const refusal = refuse('domain-taken', `${name} belongs to somebody else`, { field: `domains.${index}` });
    throw new RequestFailed(refusalFailure(refusal));
  }
}
