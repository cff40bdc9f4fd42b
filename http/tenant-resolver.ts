import { isIP } from 'node:net';
import { hasPassed } from '../application/elapsed.js';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../application/ports/clock.js';
import type { ReadModels } from '../application/ports/read-models.js';
import { isUuid, tenantIdOf } from '../domain/shared/ids.js';
import type { HttpConfig } from './deps.js';
import { headerText } from './headers.js';

/**
 * A tenant's id, and the agent's whose host it is; 'open': the host does not say, the token does; 'unknown': no tenant is
 * served there.
 */
export type HostTenant = { readonly tenantId: string; readonly agentId: string | undefined } | 'open' | 'unknown';

const MAX_REMEMBERED = 10_000;
const DOMAIN_TRUST_MS = 30_000;
const SLUG = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Which tenant a request is for (platform.md 1.7): `{tenant}.<base domain>`, a tenant's own domain, or, on localhost and
 * on plain addresses, the header `X-Tenant` (slug or id), else the token's tenant.
 */
export class TenantResolver {
  readonly #readModels: ReadModels;
  readonly #config: HttpConfig;
  readonly #clock: Clock;
  readonly #hosts = new Map<string, { tenant: HostTenant; sinceMs: number | undefined }>();
  readonly #named = new Map<string, HostTenant>();

  constructor(readModels: ReadModels, config: HttpConfig, clock: Clock) {
    this.#readModels = readModels;
    this.#config = config;
    this.#clock = clock;
  }

  /** From the host, or where that does not say from `X-Tenant`. */
  resolve(headers: IncomingHttpHeaders): HostTenant | Promise<HostTenant> {
    const forwarded = this.#config.trustForwardedHost ? headerText(headers, 'x-forwarded-host') : undefined;
    const host = forwarded ?? headers.host ?? '';
    const known = this.#hosts.get(host);
    if (
      known === undefined ||
      (known.sinceMs !== undefined && hasPassed(DOMAIN_TRUST_MS, known.sinceMs, this.#clock.nowMs()))
    ) {
      return this.#lookUp(host).then((tenant) => this.#orNamed(tenant, headers));
    }
    return this.#orNamed(known.tenant, headers);
  }

  #orNamed(tenant: HostTenant, headers: IncomingHttpHeaders): HostTenant {
    if (tenant !== 'open') return tenant;
    const named = headers['x-tenant'];
    if (typeof named !== 'string' || named === '') return 'open';
    let known = this.#named.get(named);
    if (known === undefined) {
      known = tenantNamed(named.toLowerCase());
      if (this.#named.size >= MAX_REMEMBERED) this.#named.clear();
      this.#named.set(named, known);
    }
    return known;
  }

  async #lookUp(host: string): Promise<HostTenant> {
    const name = hostName(host);
    let tenant = this.#ofHostName(name);
    let sinceMs: number | undefined;
    if (tenant === undefined) {
      const found = await this.#readModels.domainOwner(name);
      tenant = found === undefined ? 'unknown' : { tenantId: found.tenantId, agentId: found.agentId ?? undefined };
      sinceMs = this.#clock.nowMs();
    }
    if (this.#hosts.size >= MAX_REMEMBERED) this.#hosts.clear();
    this.#hosts.set(host, { tenant, sinceMs });
    return tenant;
  }

  /** What the name says by itself; undefined: it may be a tenant's own domain. */
  #ofHostName(name: string): HostTenant | undefined {
    if (isIP(name) !== 0 || !name.includes('.') || this.#config.tenantlessHosts.includes(name)) return 'open';
    for (const base of this.#config.baseDomains) {
      if (name === base) return 'open';
      if (name.endsWith(`.${base}`)) {
        const label = name.slice(0, -base.length - 1);
        if (SLUG.test(label)) return { tenantId: tenantIdOf(label), agentId: undefined };
      }
    }
    return name.length > 253 || !/^[a-z0-9.-]+$/.test(name) ? 'unknown' : undefined;
  }
}

function tenantNamed(text: string): HostTenant {
  if (isUuid(text)) return { tenantId: text, agentId: undefined };
  return SLUG.test(text) ? { tenantId: tenantIdOf(text), agentId: undefined } : 'unknown';
}

/** The host header without its port, brackets and final dot, lower case. */
function hostName(host: string): string {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(host.trim());
  if (bracketed?.[1] !== undefined) return bracketed[1].toLowerCase();
  return host.trim().replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}
