import { agentIdOf } from '../../domain/agent/agent.js';
import type { UserReference } from '../../domain/access/user-events.js';
import type { Role } from '../../domain/shared/decider.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { PersonalData } from '../../domain/shared/person.js';
import { type Identity, emailDigestOf } from '../access/identity.js';
import type { CommandName, CommandPayloads } from '../commands.js';

/** Somebody who can log in to the sandbox; the password is made anew by each seeding. */
export interface DemoUser {
  readonly role: Role;
  readonly email: string;
  readonly password: string;
}

export type SeedIdentity = Pick<Identity, 'credentials' | 'vault' | 'master' | 'hasher' | 'clock'>;

/** Runs a command of the seeding under a key of its own: a second seeding changes nothing. */
export type RunSeed = <N extends CommandName>(name: N, payload: CommandPayloads[N], key: string) => Promise<unknown>;

export interface SeedPeoplePorts {
  readonly identity: SeedIdentity;
  readonly run: RunSeed;
  /** Random text of at least 16 letters and digits. */
  readonly randomText: () => string;
}

const STAFF: ReadonlyArray<{ readonly role: Role; readonly firstName: string; readonly lastName: string }> = [
  { role: 'MANAGER', firstName: 'Mara', lastName: 'Managers' },
  { role: 'AGENT', firstName: 'Ade', lastName: 'Agents' },
  { role: 'CASHIER', firstName: 'Cora', lastName: 'Cashiers' },
  { role: 'AUDITOR', firstName: 'Otto', lastName: 'Auditors' },
  { role: 'ANALYST', firstName: 'Ana', lastName: 'Analysts' },
];
const AGENT_SLUG = 'demo-agent';

export function demoCustomerId(tenantId: string): string {
  return nameBasedUuid(tenantId, 'customer:demo');
}

export function demoAgentId(tenantId: string): string {
  return agentIdOf(tenantId, AGENT_SLUG);
}

/** An agent, one member of staff of each role, and a verified customer of the agent. */
export async function seedPeople(
  tenant: { readonly tenantId: string; readonly slug: string; readonly country: string },
  ports: SeedPeoplePorts,
): Promise<DemoUser[]> {
  const { tenantId, slug, country } = tenant;
  const settings = { name: 'Demo agent', domains: [], branding: {}, emailTemplates: {} };
  await ports.run('create-agent', { slug: AGENT_SLUG, settings }, 'agent');
  const agent = demoAgentId(tenantId);
  const staff = STAFF.map(async ({ role, firstName, lastName }) => {
    const id = nameBasedUuid(tenantId, `employee:demo:${role}`);
    const worksFor = role === 'AGENT' ? agent : undefined;
    const email = `${role.toLowerCase()}@${slug}.example`;
    return await seedUser(
      { tenantId, user: { kind: 'employee', id }, role, agent: worksFor, person: { firstName, lastName, email } },
      ports,
      (person) =>
        ports.run(
          'create-employee',
          { employee: id, roles: [role], person, ...(worksFor === undefined ? {} : { agent: worksFor }) },
          `employee ${role}`,
        ),
    );
  });
  const customer = demoCustomerId(tenantId);
  const person = {
    ...{ firstName: 'Chidi', lastName: 'Customer', email: `customer@${slug}.example`, dob: '1990-04-01' },
    address: { address1: '1 Market Road', city: 'Lagos', countryIso3: country },
  };
  const asCustomer = seedUser(
    { tenantId, user: { kind: 'customer', id: customer }, role: 'CUSTOMER', agent, person },
    ports,
    async (sealed) => {
      const about = { customer, customerType: 'INDIVIDUAL', country, agent, person: sealed } as const;
      await ports.run('register-customer', about, 'customer');
      await ports.run('verify-customer', { customer, decision: 'APPROVE', note: 'sandbox' }, 'customer verified');
    },
  );
  return await Promise.all([...staff, asCustomer]);
}

interface NewDemoUser {
  readonly tenantId: string;
  readonly user: UserReference;
  readonly role: Role;
  readonly agent: string | undefined;
  readonly person: PersonalData;
}

/** Whoever has the address already gets a new password only: it was shown once and may be lost. */
async function seedUser(
  { tenantId, user, role, agent, person }: NewDemoUser,
  { identity, run, randomText }: SeedPeoplePorts,
  create: (sealed: Awaited<ReturnType<SeedIdentity['vault']['seal']>>) => Promise<unknown>,
): Promise<DemoUser> {
  const { credentials, vault, master, hasher, clock } = identity;
  const password = `${randomText().slice(0, 16)}-aA1!`;
  const now = new Date(clock.nowMs()).toISOString();
  const digest = emailDigestOf(master, tenantId, person.email);
  const standing = { status: 'ACTIVE', roles: [role], agent: agent ?? null } as const;
  const reserved = await credentials.reserve(
    {
      ...{ tenantId, user, roles: [role], agent: agent ?? null, status: 'PENDING', createdAt: now },
      ...{ passwordHash: null, passwordSetAt: null, passwordHistory: [] },
    },
    digest,
  );
  if (reserved) await create(await vault.seal(tenantId, user.id, person));
  await credentials.setPassword(tenantId, user.id, await hasher.hash(password), now);
  await credentials.setStanding(tenantId, user.id, standing);
  const fact = { type: 'secret-set', secret: 'PASSWORD', how: 'CREATED' } as const;
  await run('record-access', { user, facts: [fact] }, `password ${user.id}`);
  return { role, email: person.email, password };
}
