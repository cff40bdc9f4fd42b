import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Identity } from '../application/access/identity.js';
import type { TokenVerifier } from '../application/access/token-verifier.js';
import type { CommandBus } from '../application/commands.js';
import type { AuditService } from '../application/ports/audit.js';
import type { BankDirectory } from '../application/ports/bank-directory.js';
import type { Clock, IdSource } from '../application/ports/clock.js';
import type { ReadModels } from '../application/ports/read-models.js';
import type { TokenSecrets, TokenStore } from '../application/ports/token-store.js';

/** What the edge is told; `DEFAULT_HTTP_CONFIG` has every default and why. */
export interface HttpConfig {
  /** Slug of the operator's own tenant, whose managers manage tenants. */
  readonly rootTenant: string;
  /** `{tenant}.<base domain>` names a tenant by its slug. */
  readonly baseDomains: readonly string[];
  /** Further hosts at which, as on localhost, the tenant comes from `X-Tenant` or the token (a service name, a bare proxy). */
  readonly tenantlessHosts: readonly string[];
  /** Believe `X-Forwarded-Host`: only behind a proxy that sets it. */
  readonly trustForwardedHost: boolean;
  /** How many proxies stand before us: the address that counts is this many from the right of `X-Forwarded-For`. */
  readonly trustedProxies: number;
  readonly bodyLimitBytes: number;
  /** Longest wait for `X-Min-Position`, and of a command's answer for the read model it shows. */
  readonly positionWaitMs: number;
  readonly rateLimits: {
    readonly perTokenPerMinute: number;
    readonly perAddressPerMinute: number;
    /** Highest limit of a whole tenant; a tenant's preference may set a lower one. */
    readonly perTenantPerMinute: number;
    /** Log-ins, one-time passwords and the like, per address. */
    readonly guessesPerAddressPerMinute: number;
    /** Calls without a good token, per address. */
    readonly unauthorisedPerMinute: number;
  };
  /** One line per request at `all`; of every n-th request, and of all that fail or are slow, at `sampled`. */
  readonly accessLog: {
    readonly mode: 'all' | 'sampled' | 'off';
    readonly sampleEvery: number;
    readonly slowMs: number;
  };
  readonly server: {
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly keepAliveTimeoutMs: number;
    readonly maxHeaderBytes: number;
    readonly maxConnections: number;
  };
  /** Dispatch definitions marked hot before Express. Off only in the test that compares both ways. */
  readonly hotPath: boolean;
  readonly version: string;
}

export const DEFAULT_HTTP_CONFIG: HttpConfig = {
  rootTenant: 'corebook',
  baseDomains: ['corebook.localhost', 'localhost'],
  tenantlessHosts: [],
  trustForwardedHost: false,
  trustedProxies: 0,
  bodyLimitBytes: 1024 * 1024,
  positionWaitMs: 2_000,
  // Far above a busy integration, far below what hurts: they stop loops, not customers.
  rateLimits: {
    perTokenPerMinute: 1_200_000,
    perAddressPerMinute: 1_200_000,
    perTenantPerMinute: 6_000_000,
    guessesPerAddressPerMinute: 120,
    unauthorisedPerMinute: 600,
  },
  accessLog: { mode: 'sampled', sampleEvery: 1_000, slowMs: 1_000 },
  server: {
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    // Longer than the idle time of common load balancers (60 s), so that they close first.
    keepAliveTimeoutMs: 65_000,
    maxHeaderBytes: 16 * 1024,
    maxConnections: 10_000,
  },
  hotPath: true,
  version: '0.1.0',
};

/** One line of `/ready`. `check` must answer soon: it is bounded by the caller. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<{ readonly ok: boolean; readonly detail?: string }>;
}

/** Everything the HTTP edge needs from the rest of the program. */
export interface HttpDeps {
  readonly bus: CommandBus;
  readonly readModels: ReadModels;
  readonly tokenStore: TokenStore;
  readonly tokenSecrets: TokenSecrets;
  /** Shared where the process has one already, so that what one of its parts revokes no other part remembers. */
  readonly tokenVerifier?: TokenVerifier;
  readonly identity: Identity;
  readonly audit: AuditService;
  /** Undefined: the installation has no partner for bank accounts, and nothing is paid out. */
  readonly banks: BankDirectory | undefined;
  readonly readiness: readonly ReadinessCheck[];
  /** True while the process is on its way out and still serves: answers then end their connections. */
  readonly stopping?: () => boolean;
  /** Whether an error means that a server beneath is away: such calls are answered with 503. Default: none does. */
  readonly isOutage?: (error: unknown) => boolean;
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Where `/metrics` reads from; the edge adds its own. */
  readonly metrics: Registry;
}

/** What handlers may use. */
export interface HttpServices extends HttpDeps {
  readonly tokenVerifier: TokenVerifier;
  /** Id of the operator's tenant. */
  readonly rootTenantId: string;
  /** Last position this process has seen committed per tenant, for commands that look something up first. */
  readonly positions: Map<string, string>;
  /** The OpenAPI document as JSON text. */
  readonly openApiText: () => string;
}
