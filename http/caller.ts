import type { IncomingHttpHeaders } from 'node:http';
import type { VerifiedToken } from '../application/access/token-verifier.js';
import type { HttpServices } from './deps.js';
import { type Caller, type Endpoint, isAllowed } from './endpoint.js';
import { type Failure, failure } from './problem.js';
import type { RateLimits } from './rate-limit.js';
import type { HostTenant, TenantResolver } from './tenant-resolver.js';

/** Who calls a PUBLIC endpoint: nobody in particular, with no rights anywhere. */
export const ANONYMOUS: Caller = {
  tokenId: '',
  tenantId: '',
  subject: 'anonymous',
  roles: [],
  customerId: undefined,
  agentId: undefined,
  user: undefined,
  sessionId: undefined,
  expiresAt: '',
};

const BEARER = /^bearer +(\S+)$/i;

/** The token from `X-Auth-Token` or `Authorization: Bearer`; undefined when there is none or the two differ. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['x-auth-token'];
  const { authorization } = headers;
  if (authorization === undefined) return typeof own === 'string' && own !== '' ? own : undefined;
  const bearer = BEARER.exec(authorization)?.[1];
  return own === undefined || own === bearer ? bearer : undefined;
}

/** Decides who calls and whether he may: token, tenant, roles, in this order. */
export class Gate {
  readonly #services: HttpServices;
  readonly #tenants: TenantResolver;
  readonly #limits: RateLimits;

  constructor(services: HttpServices, tenants: TenantResolver, limits: RateLimits) {
    this.#services = services;
    this.#tenants = tenants;
    this.#limits = limits;
  }

  async admit(endpoint: Endpoint, headers: IncomingHttpHeaders, address: string): Promise<Caller | Failure> {
    if (endpoint.roles === 'PUBLIC') return ANONYMOUS;
    const token = tokenOf(headers);
    const verifying = token === undefined ? undefined : this.#services.tokenVerifier.verify(token, address);
    // A remembered token is answered without waiting.
    const verified = verifying instanceof Promise ? await verifying : verifying;
    if (verified === undefined) return this.#unauthorised(address);
    const limited = await this.#limits.token(verified.tokenId);
    if (limited !== undefined) return limited;
    const resolving = this.#tenants.resolve(headers);
    const host = resolving instanceof Promise ? await resolving : resolving;
    return checkTenant(host, verified) ?? this.#checkRoles(endpoint, verified) ?? verified;
  }

  #checkRoles(endpoint: Endpoint, caller: VerifiedToken): Failure | undefined {
    if (!isAllowed(endpoint, caller.roles)) return failure('FORBIDDEN', 'The role of this token does not permit this');
    if (endpoint.rootTenantOnly === true && caller.tenantId !== this.#services.rootTenantId) {
      return failure('FORBIDDEN', "Only managers of the operator's own tenant may do this");
    }
    return undefined;
  }

  async #unauthorised(address: string): Promise<Failure> {
    const limited = await this.#limits.unauthorised(address);
    return (
      limited ??
      failure('AUTH_REQUIRED', 'A valid token is required in X-Auth-Token or Authorization: Bearer', {
        headers: ['WWW-Authenticate', 'Bearer'],
      })
    );
  }
}

function checkTenant(host: HostTenant, caller: VerifiedToken): Failure | undefined {
  if (host === 'open') return undefined;
  if (host === 'unknown') return failure('FORBIDDEN', 'No tenant is served here');
  return host.tenantId === caller.tenantId ? undefined : failure('FORBIDDEN', 'The token belongs to another tenant');
}

/** Roles that see more than their own accounts. */
const STAFF = ['MANAGER', 'AGENT', 'CASHIER', 'AUDITOR', 'ANALYST'] as const;

/**
 * For a caller who sees his own accounts only: whose. Undefined for staff, who see all accounts of the tenant (agents
 * are not bounded to their customers until agents exist).
 */
export function ownOnly(caller: Caller): { readonly customerId: string } | undefined {
  if (STAFF.some((role) => caller.roles.includes(role))) return undefined;
  return { customerId: caller.customerId ?? '' };
}
