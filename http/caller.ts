import type { IncomingHttpHeaders } from 'node:http';
import type { VerifiedToken } from '../application/access/token-verifier.js';
import type { HttpServices } from './deps.js';
import { type Caller, type Endpoint, isAllowed } from './endpoint.js';
import { type Failure, failure, invalid } from './problem.js';
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

/** A caller who may call, and the agent at whose host he does. */
export interface Admitted {
  readonly caller: Caller;
  readonly hostAgentId: string | undefined;
}
const STRANGER: Admitted = { caller: ANONYMOUS, hostAgentId: undefined };

const BEARER = /^bearer +(\S+)$/i;

/** The token from `X-Auth-Token` or `Authorization: Bearer`; undefined when there is none or the two differ. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['x-auth-token'];
  const { authorization } = headers;
  if (authorization === undefined) return typeof own === 'string' && own !== '' ? own : undefined;
  const bearer = BEARER.exec(authorization)?.[1];
  return own === undefined || own === bearer ? bearer : undefined;
}

/** Whether a token was sent at all, good or not. */
function hasToken(headers: IncomingHttpHeaders): boolean {
  const own = headers['x-auth-token'];
  return (own !== undefined && own !== '') || headers.authorization !== undefined;
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

  async admit(endpoint: Endpoint, headers: IncomingHttpHeaders, address: string): Promise<Admitted | Failure> {
    if (endpoint.roles === 'PUBLIC') return this.#admitAnybody(endpoint, headers, address);
    const verified = await this.#verified(headers, address);
    if ('kind' in verified) return verified;
    const resolving = this.#tenants.resolve(headers);
    const host = resolving instanceof Promise ? await resolving : resolving;
    const refused = checkTenant(host, verified) ?? this.#checkRoles(endpoint, verified);
    if (refused !== undefined) return refused;
    const limited = await this.#limitTenant(verified.tenantId);
    return limited ?? { caller: verified, hostAgentId: agentOf(host) };
  }

  /** Everybody may call; where the call is about a tenant, the tenant must be known, and an optional token must be good. */
  async #admitAnybody(endpoint: Endpoint, headers: IncomingHttpHeaders, address: string): Promise<Admitted | Failure> {
    if (endpoint.tenant !== 'named') return STRANGER;
    const host = await this.#tenants.resolve(headers);
    const caller =
      endpoint.token === 'optional' && hasToken(headers) ? await this.#verified(headers, address) : undefined;
    if (caller !== undefined) {
      if ('kind' in caller) return caller;
      const refused = checkTenant(host, caller);
      if (refused !== undefined) return refused;
    }
    const tenantId = caller?.tenantId ?? (typeof host === 'string' ? undefined : host.tenantId);
    if (tenantId === undefined) return host === 'unknown' ? notServed() : tenantMissing();
    const tenant = await this.#services.readModels.tenant(tenantId);
    if (tenant === undefined) return notServed();
    if (tenant.status !== 'ACTIVE') return failure('FORBIDDEN', 'The tenant is suspended');
    const limited = await this.#limitTenant(tenantId);
    return limited ?? { caller: caller ?? { ...ANONYMOUS, tenantId }, hostAgentId: agentOf(host) };
  }

  async #verified(headers: IncomingHttpHeaders, address: string): Promise<VerifiedToken | Failure> {
    const token = tokenOf(headers);
    const verifying = token === undefined ? undefined : this.#services.tokenVerifier.verify(token, address);
    // A remembered token is answered without waiting.
    const verified = verifying instanceof Promise ? await verifying : verifying;
    if (verified === undefined) return this.#unauthorised(address);
    return (await this.#limits.token(verified.tokenId)) ?? verified;
  }

  async #limitTenant(tenantId: string): Promise<Failure | undefined> {
    const preferences = this.#services.identity.preferences.of(tenantId);
    const { REQUESTS_PER_MINUTE } = preferences instanceof Promise ? await preferences : preferences;
    return this.#limits.tenant(tenantId, REQUESTS_PER_MINUTE);
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

const notServed = () => failure('FORBIDDEN', 'No tenant is served here');
const tenantMissing = () =>
  invalid('X-Tenant', 'REQUIRED', 'the host names no tenant: call {tenant}.<domain>, or send X-Tenant (slug or id)');

function agentOf(host: HostTenant): string | undefined {
  return typeof host === 'string' ? undefined : host.agentId;
}

function checkTenant(host: HostTenant, caller: VerifiedToken): Failure | undefined {
  if (host === 'open') return undefined;
  if (host === 'unknown') return notServed();
  return host.tenantId === caller.tenantId ? undefined : failure('FORBIDDEN', 'The token belongs to another tenant');
}
