import { issueApiToken } from '../access/issue-api-token.js';
import type { TokenServices } from '../access/api-tokens.js';
import { type CommandBus, type CommandName, type CommandPayloads, type Outcome } from '../commands.js';
import { keyOf, requestHash } from '../idempotency.js';
import type { Actor, Role } from '../../domain/shared/decider.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { systemAccountNumber } from '../../domain/ledger/products.js';
import type { EventLog } from '../ports/event-log.js';
import type { Clock } from '../ports/clock.js';
import type { AccountOpened } from '../../domain/ledger/events.js';
import { seedLending } from './seed-lending.js';
import {
  type DemoUser,
  type RunSeed,
  type SeedIdentity,
  demoAgentId,
  demoCustomerId,
  seedPeople,
} from './seed-people.js';

/**
 * The sandbox: a demo tenant per product line and the operator's own, each with an agent, one user and one token per role,
 * and two funded wallets to move money between. Everything but tokens and passwords is keyed, so a second seeding changes
 * nothing else.
 */
export const DEMO_ROLES = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR', 'ANALYST'] as const;

export interface DemoTenant {
  readonly tenant: string;
  readonly tokens: Readonly<Record<(typeof DEMO_ROLES)[number], string>>;
  /** Who can log in, with passwords. */
  readonly users: readonly DemoUser[];
  readonly agentId: string;
  /** The customer that the CUSTOMER token speaks for. */
  readonly customerId: string;
  readonly currency: string;
  /** Two wallets of that customer, the first one funded. */
  readonly wallets: ReadonlyArray<{ readonly accountId: string; readonly accountNumber: string }>;
  /** The system account that stands for cash. */
  readonly cashAccountNumber: string;
}

interface Line {
  readonly slug: string;
  readonly name: string;
  readonly currencies: readonly string[];
  /** Of the demo customer. */
  readonly country: string;
}

const LINES: readonly Line[] = [
  {
    slug: 'remitjunction',
    name: 'Remit Junction (remittance)',
    currencies: ['NGN', 'GBP', 'USD', 'EUR', 'GHS', 'KES', 'JPY', 'KWD'],
    country: 'NGA',
  },
  { slug: 'finlend', name: 'FinLend (lending and investment)', currencies: ['NGN', 'USD', 'GBP'], country: 'NGA' },
];

const SYSTEM: Actor = { subject: 'system:sandbox', roles: ['MANAGER', 'CASHIER'] };
const CORRELATION = '00000000-0000-4000-8000-0000005eed00';
const TOKEN_LIFE_MS = 365 * 86_400_000;
/** 100,000.00 in a currency of two decimals. */
const FUNDING_MINOR = 10_000_000n;

export interface SeedPorts {
  readonly bus: CommandBus;
  readonly log: EventLog;
  readonly tokens: TokenServices;
  readonly identity: SeedIdentity;
  readonly clock: Clock;
  readonly rootTenant: string;
}

/** Seeds what is missing and issues fresh tokens for every demo tenant; the operator's own comes last. */
export async function seedSandbox(ports: SeedPorts): Promise<DemoTenant[]> {
  const lines = [...LINES, { slug: ports.rootTenant, name: 'Operator', currencies: ['USD'], country: 'USA' }];
  const seeded: DemoTenant[] = [];
  for (const line of lines) seeded.push(await seedTenant(line, ports));
  return seeded;
}

async function seedTenant(line: Line, ports: SeedPorts): Promise<DemoTenant> {
  const tenantId = tenantIdOf(line.slug);
  const [baseCurrency = 'USD'] = line.currencies;
  if ((await ports.log.head(tenantId)).revision < 0) {
    const settings = {
      name: line.name,
      baseCurrency,
      currencies: [...line.currencies],
      domains: [],
      branding: {},
      emailTemplates: {},
    };
    await run(ports.bus, tenantId, 'create-tenant', { slug: line.slug, settings }, 'tenant');
  }
  const customerId = demoCustomerId(tenantId);
  const runHere: RunSeed = (name, payload, key) => run(ports.bus, tenantId, name, payload, key);
  const { tokenSecrets } = ports.tokens;
  const randomText = (): string =>
    tokenSecrets
      .create()
      .slice(-40)
      .replaceAll(/[^A-Za-z0-9]/g, '');
  const { identity } = ports;
  const users = await seedPeople({ tenantId, ...line }, { identity, run: runHere, randomText });
  const wallets = [];
  for (const name of ['Demo wallet A', 'Demo wallet B']) {
    const opened = await run(
      ports.bus,
      tenantId,
      'open-account',
      { owner: customerId, currency: baseCurrency, product: 'WALLET', name },
      name,
    );
    const { account, number } = opened.events[0]?.data as AccountOpened['data'];
    wallets.push({ accountId: account, accountNumber: number });
  }
  const cashAccountNumber = systemAccountNumber('cash', baseCurrency);
  const line1 = { currency: baseCurrency, amount: FUNDING_MINOR };
  await run(
    ports.bus,
    tenantId,
    'post-journal-entry',
    {
      lines: [
        { ...line1, accountNumber: cashAccountNumber, side: 'debit' },
        { ...line1, accountNumber: wallets[0]?.accountNumber ?? '', side: 'credit' },
      ],
      narration: 'demo funding',
    },
    'funding',
  );
  await seedLending({ tenantId, slug: line.slug, baseCurrency }, runHere);
  const tokens = {} as Record<(typeof DEMO_ROLES)[number], string>;
  for (const role of DEMO_ROLES) tokens[role] = await issueToken(tenantId, role, customerId, ports);
  const agentId = demoAgentId(tenantId);
  return { tenant: line.slug, tokens, users, agentId, customerId, currency: baseCurrency, wallets, cashAccountNumber };
}

async function issueToken(tenantId: string, role: Role, customerId: string, ports: SeedPorts): Promise<string> {
  const issued = await issueApiToken(
    {
      name: `sandbox ${role.toLowerCase()}`,
      roles: [role],
      ...(role === 'CUSTOMER' ? { customerId } : {}),
      ...(role === 'AGENT' ? { agentId: demoAgentId(tenantId) } : {}),
      ipAllowList: [],
      expiresAt: new Date(ports.clock.nowMs() + TOKEN_LIFE_MS).toISOString(),
    },
    { tenantId, actor: SYSTEM, correlationId: CORRELATION },
    ports.tokens,
  );
  if (issued.status === 'refused' || issued.token === null) throw new Error('a sandbox token could not be issued');
  return issued.token;
}

async function run<N extends CommandName>(
  bus: CommandBus,
  tenantId: string,
  name: N,
  payload: CommandPayloads[N],
  key: string,
): Promise<Extract<Outcome, { status: 'accepted' }>> {
  const idempotency = { id: keyOf(tenantId, 'sandbox', key), requestHash: requestHash(SYSTEM.subject, key) };
  const outcome = await bus.execute({
    name,
    tenantId,
    payload,
    actor: SYSTEM,
    correlationId: CORRELATION,
    idempotency,
  });
  if (outcome.status === 'refused') throw new Error(`the sandbox could not be seeded: ${outcome.refusal.message}`);
  return outcome;
}
