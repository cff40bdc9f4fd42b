/**
 * Log-in on PostgreSQL with Argon2id as it is set in production: what it does in a second beside what Argon2 alone does,
 * and how far known and unknown addresses are apart. `node build/bench/log-in.js [log-ins at once]`
 */
import { cpus } from 'node:os';
import { AccessTokens } from '../application/access/access-tokens.js';
import { type Identity, emailDigestOf } from '../application/access/identity.js';
import { logIn } from '../application/access/log-in.js';
import { PreferenceReader } from '../application/access/preference-reader.js';
import { TenantKeys } from '../application/access/tenant-keys.js';
import type { ReadModels } from '../application/ports/read-models.js';
import { PostgresAttemptCounter } from '../infrastructure/postgres/attempt-counter.js';
import { PostgresCredentialStore } from '../infrastructure/postgres/credential-store.js';
import { createPool } from '../infrastructure/postgres/pool.js';
import { PostgresSessionStore } from '../infrastructure/postgres/session-store.js';
import { PostgresTenantKeyStore } from '../infrastructure/postgres/tenant-key-store.js';
import { Argon2Hasher } from '../infrastructure/security/argon2-hasher.js';
import { NodeKeyPairMaker } from '../infrastructure/security/key-pairs.js';
import { HkdfMasterSeal } from '../infrastructure/security/master-seal.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { SLUG, TENANT, median, openCore } from './support/open-core.js';

const SECONDS = 4;
const USERS = 200;
const PASSWORD = 'Harbour-7!Lamp';
const AT_ONCE = Number.parseInt(process.argv[2] ?? '8', 10);

const core = await openCore();
const pool = createPool({ url: core.database.urls.core, name: 'bench', connections: 8, onError: console.error });
const [clock, ids] = [systemClock, createIdSource()];
const master = new HkdfMasterSeal(Buffer.alloc(32, 7));
const bus = core.processor;
// What log-in looks up of people and agents; these are one indexed query each in the product.
const readModels = {
  tenantSettings: () => Promise.resolve({ preferences: [], countries: {} }),
  customer: () => Promise.resolve({ code: 'ABC123' }),
  agent: () => Promise.resolve(undefined),
} as unknown as ReadModels;
const keys = new TenantKeys({
  ...{ store: new PostgresTenantKeyStore(pool, master), maker: new NodeKeyPairMaker(), bus, clock, ids },
});
const hasher = new Argon2Hasher();
const identity = {
  ...{ bus, clock, ids, master, readModels, keys, hasher },
  credentials: new PostgresCredentialStore(pool),
  sessions: new PostgresSessionStore(pool),
  attempts: new PostgresAttemptCounter(pool),
  preferences: new PreferenceReader(readModels, clock),
  accessTokens: new AccessTokens({ keys, clock, ids, issuer: 'bench' }),
} as unknown as Identity;

const settings = {
  name: SLUG,
  baseCurrency: 'NGN',
  currencies: ['NGN'],
  domains: [],
  branding: {},
  emailTemplates: {},
};
await core.run('create-tenant', { slug: SLUG, settings });
const addressOf = (n: number): string => `user-${n}@example.com`;
const hash = await hasher.hash(PASSWORD);
for (let n = 0; n < USERS; n += 1) {
  const id = ids.eventId();
  const person = { subject: id, sealed: 'x' };
  await core.run('register-customer', { customer: id, customerType: 'INDIVIDUAL', country: 'NGA', person });
  const now = new Date(clock.nowMs()).toISOString();
  await identity.credentials.reserve(
    {
      ...{ tenantId: TENANT, user: { kind: 'customer', id }, status: 'ACTIVE', roles: ['CUSTOMER'], agent: null },
      ...{ passwordHash: hash, passwordSetAt: now, passwordHistory: [], createdAt: now },
    },
    emailDigestOf(master, TENANT, addressOf(n)),
  );
}

const asked = { tenantId: TENANT, actor: { subject: 'anonymous', roles: [] }, correlationId: 'bench' } as const;
const attempt = async (email: string, text: string): Promise<string> => {
  const wanted = { email, secret: { kind: 'password', text }, device: undefined, hostAgentId: undefined } as const;
  return (await logIn(identity, asked, wanted)).status;
};

/** How often it is done in a second, this many at once. */
async function rate(atOnce: number, work: (n: number) => Promise<unknown>): Promise<number> {
  let done = 0;
  const until = performance.now() + SECONDS * 1000;
  const worker = async (n: number) => {
    for (; performance.now() < until; done += 1) await work(n + done);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, n) => worker(n)));
  return done / SECONDS;
}

if ((await attempt(addressOf(0), PASSWORD)) !== 'signed-in') throw new Error('log-in does not work');
const alone = await rate(AT_ONCE, () => hasher.verify(hash, PASSWORD));
const whole = await rate(AT_ONCE, (n) => attempt(addressOf(n % USERS), PASSWORD));
console.log(`${cpus().length} cores, ${AT_ONCE} at once, Argon2id 19 MiB, 2 passes`);
console.log(`Argon2 alone  ${alone.toFixed(1)}/s`);
console.log(`log-in        ${whole.toFixed(1)}/s (${((100 * whole) / alone).toFixed(0)} % of it)`);

const times = { known: [] as number[], unknown: [] as number[] };
for (let n = 0; n < 100; n += 1) {
  for (const which of n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
    const started = performance.now();
    await attempt(which === 'known' ? addressOf(n) : `nobody-${n}@example.com`, 'wrong');
    times[which].push(performance.now() - started);
  }
}
const spread = (values: readonly number[]): number => median(values.map((value) => Math.abs(value - median(values))));
for (const which of ['known', 'unknown'] as const) {
  console.log(`${which.padEnd(8)} ${median(times[which]).toFixed(2)} ms ± ${spread(times[which]).toFixed(2)}`);
}
await pool.end();
await core.close();
