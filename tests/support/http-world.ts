import { type Server, request as nodeRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import { Registry } from 'prom-client';
import { EventLogAuditService } from '../../application/audit/service.js';
import type { Identity } from '../../application/access/identity.js';
import type { TokenVerifier } from '../../application/access/token-verifier.js';
import { issueApiToken } from '../../application/access/issue-api-token.js';
import type { Command, CommandBus, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import type { BankDirectory } from '../../application/ports/bank-directory.js';
import type { Clock } from '../../application/ports/clock.js';
import type { EventLog } from '../../application/ports/event-log.js';
import type { PasswordHasher } from '../../application/ports/password-hasher.js';
import type { ReadModels } from '../../application/ports/read-models.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { Actor, Role } from '../../domain/shared/decider.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import { accountIdOf, tenantIdOf } from '../../domain/shared/ids.js';
import { closeHttpServer, createHttpServer } from '../../http/app.js';
import { DEFAULT_HTTP_CONFIG, type HttpConfig, type HttpDeps, type ReadinessCheck } from '../../http/deps.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { SimulatedBankDirectory } from '../../infrastructure/partners/simulated-bank-directory.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import type { MemoryOutbox } from '../../infrastructure/memory/outbox.js';
import { MemoryTokenStore } from '../../infrastructure/memory/token-store.js';
import { HmacTokenSecrets } from '../../infrastructure/security/token-secrets.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { FoldedReadModels } from './folded-read-models.js';
import { type HttpLog, openHttpLog } from './http-log.js';
import { memoryIdentity, testSeal } from './identity.js';

export const TENANTS = { root: 'corebook', demo: 'demo', other: 'other' } as const;
export type TenantName = keyof typeof TENANTS;
/** Owns an account of tenant demo that EXAMPLE.ownerId must not see. */
export const OTHER_OWNER = '11111111-2222-4333-8444-555555555555';

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: Envelope;
}

/** Loose on purpose: tests look at what is there. */
export interface Envelope {
  readonly status?: string;
  readonly success?: boolean;
  readonly responseCode?: number;
  readonly errorCode?: string;
  readonly message?: string;
  readonly errors?: ReadonlyArray<{ field: string; code: string; message: string; details?: Record<string, string> }>;
  readonly data?: unknown;
  readonly metadata?: {
    request_id: string;
    timestamp: string;
    processing_time_ms: number;
    retryable?: boolean;
    position?: string;
  };
}

export interface Sent {
  readonly method?: string;
  /** Undefined takes a header away. */
  readonly headers?: Record<string, string | undefined>;
  /** An object is sent as JSON; a text or bytes as they are. */
  readonly body?: unknown;
}

const SYSTEM: Actor = { subject: 'system:test', roles: ['MANAGER', 'CASHIER'] };

export interface WorldOptions {
  readonly config?: Partial<HttpConfig>;
  readonly readiness?: readonly ReadinessCheck[];
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Stands in for the processor. */
  readonly bus?: CommandBus;
  readonly readModels?: (folded: ReadModels) => ReadModels;
  readonly hasher?: PasswordHasher;
  readonly sandbox?: boolean;
  /** Null: there is none. Default: the simulator. */
  readonly banks?: BankDirectory | null;
}

/** An agent of each tenant, with a sub-agent, and another one. */
export const AGENTS = { own: 'north', sub: 'north-shop', other: 'south' } as const;

/** A server on the real processor, with the log in memory or where LOG_URL says (http-log.ts), with tenants, accounts and a token for each role of each tenant. */
export class HttpWorld {
  readonly log: EventLog;
  readonly ids = createIdSource();
  readonly clock: Clock;
  readonly processor: CommandProcessor;
  readonly tokenStore = new MemoryTokenStore();
  readonly tokenSecrets = new HmacTokenSecrets({ secret: Buffer.alloc(32, 1), kind: 'test' });
  readonly tokenVerifier: TokenVerifier;
  readonly identity: Identity & { readonly outbox: MemoryOutbox };
  readonly deps: HttpDeps;
  readonly server: Server;
  port = 0;
  readonly #tokens = new Map<string, string>();

  private constructor(
    options: WorldOptions,
    private readonly opened: HttpLog,
  ) {
    this.log = opened.log;
    this.clock = options.clock ?? systemClock;
    const { log, ids, clock } = this;
    const states = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };
    this.processor = new CommandProcessor({ log, states, clock, ids });
    const vault = new MemoryKeyVault(testSeal(), clock);
    const folded = new FoldedReadModels(log, vault);
    const bus = options.bus ?? this.processor;
    const readModels = options.readModels?.(folded) ?? folded;
    const { tokenStore, tokenSecrets } = this;
    this.identity = memoryIdentity({
      ...{ bus, readModels, clock, ids, vault, tokenStore, tokenSecrets },
      ...(options.hasher === undefined ? {} : { hasher: options.hasher }),
      sandbox: options.sandbox ?? true,
    });
    this.tokenVerifier = this.identity.tokenVerifier;
    this.deps = {
      bus,
      readModels,
      identity: this.identity,
      tokenStore: this.tokenStore,
      tokenSecrets: this.tokenSecrets,
      tokenVerifier: this.tokenVerifier,
      audit: new EventLogAuditService(log),
      banks: options.banks === null ? undefined : (options.banks ?? new SimulatedBankDirectory()),
      readiness: options.readiness ?? [],
      config: { ...DEFAULT_HTTP_CONFIG, ...options.config },
      logger: options.logger ?? pino({ level: 'silent' }),
      clock,
      ids,
      metrics: new Registry(),
    };
    this.server = createHttpServer(this.deps);
  }

  /** Listens, and sets up tenants and accounts. */
  static async open(options: WorldOptions = {}): Promise<HttpWorld> {
    const world = new HttpWorld(options, await openHttpLog());
    await new Promise<void>((resolve) => world.server.listen(0, '127.0.0.1', resolve));
    world.port = (world.server.address() as AddressInfo).port;
    for (const slug of Object.values(TENANTS)) await world.#seed(slug);
    return world;
  }

  async close(): Promise<void> {
    await closeHttpServer(this.server, this.deps, 1_000);
    await this.closeCore();
  }

  /** What is behind the server. */
  async closeCore(): Promise<void> {
    await this.processor.close();
    await this.opened.close();
  }

  async #seed(slug: string): Promise<void> {
    const tenantId = tenantIdOf(slug);
    const settings = {
      name: slug,
      baseCurrency: 'NGN',
      currencies: ['NGN', 'USD', 'JPY', 'KWD'],
      domains: [`pay.${slug}.example`],
      branding: {},
      emailTemplates: {},
    };
    await this.command('create-tenant', { slug, settings }, tenantId);
    const agentSettings = { domains: [], branding: {}, emailTemplates: {} };
    for (const agent of [AGENTS.own, AGENTS.other])
      await this.command('create-agent', { slug: agent, settings: { name: agent, ...agentSettings } }, tenantId);
    const parent = agentIdOf(tenantId, AGENTS.own);
    const shop = { slug: AGENTS.sub, parent, settings: { name: AGENTS.sub, ...agentSettings } };
    await this.command('create-agent', shop, tenantId);
    await this.#registerCustomer(tenantId, EXAMPLE.ownerId, 'Ada', 'Obi', parent);
    await this.#registerCustomer(tenantId, OTHER_OWNER, 'Bayo', 'Ade', agentIdOf(tenantId, AGENTS.other));
    const open = (number: string, owner: string, currency: string, name: string) =>
      this.command('open-account', { owner, currency, product: 'WALLET', name, number }, tenantId);
    await open(EXAMPLE.accountNumber, EXAMPLE.ownerId, 'NGN', 'Ada Obi');
    await open(EXAMPLE.counterpartyNumber, OTHER_OWNER, 'NGN', 'Bayo Ade');
    await open(EXAMPLE.dollarNumber, EXAMPLE.ownerId, 'USD', 'Ada Obi, dollars');
    await open(EXAMPLE.spareNumber, EXAMPLE.ownerId, 'NGN', 'Spare');
    await open('JPY-1', EXAMPLE.ownerId, 'JPY', 'Yen');
    await open('KWD-1', EXAMPLE.ownerId, 'KWD', 'Dinar');
    for (const [number, currency] of [
      [EXAMPLE.accountNumber, 'NGN'],
      [EXAMPLE.counterpartyNumber, 'NGN'],
      ['JPY-1', 'JPY'],
      ['KWD-1', 'KWD'],
    ] as const) {
      await this.fund(number, currency, 10_000_000n, slug);
    }
  }

  /** A customer who was registered by an agent; he has no way to log in. */
  async #registerCustomer(tenantId: string, customer: string, firstName: string, lastName: string, agent: string) {
    const email = `${firstName.toLowerCase()}@customers.example`;
    const person = await this.identity.vault.seal(tenantId, customer, { firstName, lastName, email });
    const about = { customer, customerType: 'INDIVIDUAL', country: 'NGA', agent, person } as const;
    await this.command('register-customer', about, tenantId);
  }

  /** Puts money into an account out of the opening balances; amount in minor units. */
  async fund(number: string, currency: string, amount: bigint, slug: string = TENANTS.demo): Promise<Outcome> {
    const lines = [
      { accountNumber: `SYS-OPENING-BALANCES-${currency}`, currency, side: 'debit' as const, amount },
      { accountNumber: number, currency, side: 'credit' as const, amount },
    ];
    return await this.command('post-journal-entry', { lines }, tenantIdOf(slug));
  }

  async command<N extends CommandName>(name: N, payload: CommandPayloads[N], tenantId: string): Promise<Outcome> {
    const command: Command<N> = { name, payload, tenantId, actor: SYSTEM, correlationId: this.ids.eventId() };
    const outcome = await this.processor.execute(command);
    if (outcome.status === 'refused') throw new Error(`${name}: ${outcome.refusal.refused} ${outcome.refusal.message}`);
    return outcome;
  }

  /** A token of this role in this tenant; made once. CUSTOMER tokens are EXAMPLE.ownerId's unless told otherwise. */
  async token(
    role: Role,
    tenant: TenantName = 'demo',
    more: { customerId?: string; agentId?: string; ipAllowList?: string[]; expiresAt?: string } = {},
  ): Promise<string> {
    const key = JSON.stringify([role, tenant, more]);
    const known = this.#tokens.get(key);
    if (known !== undefined) return known;
    const { bus: _, ...services } = { ...this.deps, bus: undefined, tokenVerifier: this.tokenVerifier };
    const result = await issueApiToken(
      {
        name: key.slice(0, 100),
        roles: [role],
        ipAllowList: more.ipAllowList ?? [],
        expiresAt: more.expiresAt ?? '2999-01-01T00:00:00.000Z',
        ...(role === 'CUSTOMER' ? { customerId: more.customerId ?? EXAMPLE.ownerId } : {}),
        ...(role === 'AGENT' || more.agentId !== undefined
          ? { agentId: more.agentId ?? this.agentId('own', tenant) }
          : {}),
      },
      { tenantId: tenantIdOf(TENANTS[tenant]), actor: SYSTEM, correlationId: this.ids.eventId() },
      { ...services, bus: this.processor },
    );
    if (result.status !== 'accepted' || result.token === null) throw new Error('no token');
    this.#tokens.set(key, result.token);
    return result.token;
  }

  /** A token that was good once. */
  async spentToken(role: Role, tenant: TenantName, kind: 'expired' | 'revoked'): Promise<string> {
    const key = JSON.stringify([role, tenant, kind]);
    const known = this.#tokens.get(key);
    if (known !== undefined) return known;
    const token = this.tokenSecrets.create();
    const tokenId = this.ids.eventId();
    await this.tokenStore.insert(
      {
        ...{ tokenId, tenantId: tenantIdOf(TENANTS[tenant]), name: kind, prefix: 'fct_test_', roles: [role] },
        ...{ customerId: role === 'CUSTOMER' ? EXAMPLE.ownerId : null, agentId: null, ipAllowList: [] },
        ...{ createdBy: SYSTEM.subject, createdAt: '2026-01-01T00:00:00.000Z', status: 'ACTIVE' as const },
        expiresAt: kind === 'expired' ? '2026-01-02T00:00:00.000Z' : '2999-01-01T00:00:00.000Z',
        ...{ lastUsedAt: null, previousGraceUntil: null, rotation: null },
      },
      this.tokenSecrets.hash(token) ?? '',
    );
    if (kind === 'revoked') await this.tokenStore.setStatus(tenantIdOf(TENANTS[tenant]), tokenId, 'DISABLED');
    this.#tokens.set(key, token);
    return token;
  }

  agentId(agent: keyof typeof AGENTS, tenant: TenantName = 'demo'): string {
    return agentIdOf(tenantIdOf(TENANTS[tenant]), AGENTS[agent]);
  }

  account(number: string, tenant: TenantName = 'demo'): string {
    return accountIdOf(tenantIdOf(TENANTS[tenant]), number);
  }

  /** One request over a real socket, as a role of tenant demo unless a token is given. */
  async send(
    path: string,
    sent: Sent = {},
    as: Role | { token: string } | 'NOBODY' = 'MANAGER',
    tenant: TenantName = 'demo',
  ): Promise<Answered> {
    const token = as === 'NOBODY' ? undefined : typeof as === 'string' ? await this.token(as, tenant) : as.token;
    const raw = typeof sent.body === 'string' || Buffer.isBuffer(sent.body);
    const body = sent.body === undefined ? undefined : raw ? (sent.body as string | Buffer) : JSON.stringify(sent.body);
    const wanted: Record<string, string | undefined> = {
      ...(token === undefined ? {} : { 'X-Auth-Token': token }),
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
      ...sent.headers,
    };
    const headers = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    return await new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: this.port,
        path,
        method: sent.method ?? (body === undefined ? 'GET' : 'POST'),
        headers,
      };
      const request = nodeRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
        response.on('error', reject);
      });
      request.on('error', reject);
      request.setTimeout(15_000, () => request.destroy(new Error(`no answer to ${options.method} ${path}`)));
      request.end(body);
    });
  }
}

function parsed(text: string): Envelope {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return {};
  }
}

/** The read models with some answers of one's own. */
export function overriding(models: ReadModels, changes: Partial<ReadModels>): ReadModels {
  return new Proxy(models, {
    get(target, name) {
      const own = Reflect.get(changes, name) as unknown;
      const value = own ?? (Reflect.get(target, name) as unknown);
      return typeof value === 'function' ? (value.bind(own === undefined ? target : changes) as unknown) : value;
    },
  });
}

/** A transfer as post-account takes it. */
export function transfer(amount: unknown, more: Record<string, unknown> = {}) {
  return {
    primaryAccountNumber: EXAMPLE.accountNumber,
    currencyCode: 'NGN',
    creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
    counterParties: [{ accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', amount }],
    instructionIdempotencykey: `key-${String(nextKey++)}`,
    ...more,
  };
}
let nextKey = 1;
