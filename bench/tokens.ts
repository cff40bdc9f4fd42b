/**
 * What it costs to know who calls: TokenVerifier with a warm memory (the bar is 50 µs) and with a cold one, for access
 * tokens and API tokens; besides, signing a token and reading an encrypted field. Run: node build/bench/tokens.js
 */
import { constants, publicEncrypt } from 'node:crypto';
import { issueApiToken } from '../application/access/issue-api-token.js';
import { readSecret } from '../application/access/field-secrets.js';
import { TokenVerifier } from '../application/access/token-verifier.js';
import type { Session } from '../application/ports/sessions.js';
import { CommandProcessor } from '../application/processor/command-processor.js';
import { tenantIdOf } from '../domain/shared/ids.js';
import { MemoryEventLog } from '../infrastructure/memory/event-log.js';
import { MemoryKeyVault } from '../infrastructure/memory/key-vault.js';
import { MemoryTokenStore } from '../infrastructure/memory/token-store.js';
import { HmacTokenSecrets } from '../infrastructure/security/token-secrets.js';
import { systemClock as clock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { FoldedReadModels } from '../tests/support/folded-read-models.js';
import { memoryIdentity, testSeal } from '../tests/support/identity.js';

const BAR_MICROSECONDS = 50;
const ROUNDS = 7;
const tenantId = tenantIdOf('demo');
const ids = createIdSource();
const log = new MemoryEventLog();
const states = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };
const bus = new CommandProcessor({ log, states, clock, ids });
const tokenStore = new MemoryTokenStore();
const tokenSecrets = new HmacTokenSecrets({ secret: Buffer.alloc(32, 7), kind: 'test' });
const vault = new MemoryKeyVault(testSeal(), clock);
const readModels = new FoldedReadModels(log, vault);
const identity = memoryIdentity({ bus, readModels, clock, ids, vault, tokenStore, tokenSecrets });
const { accessTokens, keys, sessions } = identity;
const asked = {
  tenantId,
  actor: { subject: 'system:bench', roles: ['MANAGER'] as const },
  correlationId: ids.eventId(),
};

/** Median over the rounds of microseconds per run. */
async function cost(runs: number, run: (index: number) => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < runs; index += 1) {
      const result = run(round * runs + index);
      if (result instanceof Promise) await result;
    }
    // The first round warms up.
    if (round > 0) rounds.push(Number(process.hrtime.bigint() - start) / 1000 / runs);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

const shown = (microseconds: number): string => `${microseconds.toFixed(microseconds < 10 ? 2 : 0).padStart(8)} µs`;

async function bench(): Promise<void> {
  const settings = {
    name: 'demo',
    baseCurrency: 'NGN',
    currencies: ['NGN'],
    domains: [],
    branding: {},
    emailTemplates: {},
  };
  await bus.execute({ ...asked, name: 'create-tenant', payload: { slug: 'demo', settings } });
  const session: Session = {
    ...{ sessionId: ids.eventId(), tenantId, user: { kind: 'customer', id: ids.eventId() }, device: null },
    ...{ createdAt: '2026-11-22T10:30:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z', revokedAt: null },
  };
  await sessions.open(session, 'digest');
  const issue = () => accessTokens.issue(session, { roles: ['CUSTOMER'], lifeSeconds: 3600 });
  const many = await Promise.all(Array.from({ length: 500 }, async () => (await issue()).token));
  const wanted = { name: 'bench', roles: ['MANAGER'] as const, ipAllowList: [], expiresAt: '2999-01-01T00:00:00.000Z' };
  const made = await issueApiToken(wanted, asked, { ...identity, tokenSecrets });
  const apiToken = made.status === 'accepted' ? (made.token ?? '') : '';

  const newVerifier = () =>
    new TokenVerifier(tokenStore, tokenSecrets, clock, { accessTokens, sessions, credentials: identity.credentials });
  const warm = newVerifier();
  const must = async (token: string) => {
    if ((await warm.verify(token, '127.0.0.1')) === undefined) throw new Error('the token should be good');
  };
  for (const token of [...many, apiToken]) await must(token);
  const of = (index: number) => many[index % many.length] ?? '';
  const access = await cost(100_000, (index) => warm.verify(of(index), '127.0.0.1'));
  const api = await cost(100_000, () => warm.verify(apiToken, '127.0.0.1'));
  let cold = newVerifier();
  const coldAccess = await cost(500, (index) => {
    if (index % many.length === 0) cold = newVerifier();
    return cold.verify(of(index), '127.0.0.1');
  });
  const signing = await cost(200, issue);
  const key = await keys.active(tenantId, 'PAYLOAD');
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const field = publicEncrypt({ key: keys.publicKey(key), padding, oaepHash: 'sha256' }, Buffer.from('secret'));
  const text = field.toString('base64');
  const reading = await cost(50, () => readSecret(identity, tenantId, 'password', text, {}));

  process.stdout.write(
    [
      `access token, warm     ${shown(access)}   ${access < BAR_MICROSECONDS ? 'within' : 'ABOVE'} the bar of ${String(BAR_MICROSECONDS)} µs`,
      `API token, warm        ${shown(api)}`,
      `access token, cold     ${shown(coldAccess)}   signature and session looked up`,
      `access token, signed   ${shown(signing)}   RSA 2048, in the thread pool`,
      `encrypted field, read  ${shown(reading)}   RSA-OAEP 3072, on the event loop`,
      '',
    ].join('\n'),
  );
  if (access >= BAR_MICROSECONDS) process.exitCode = 1;
  await bus.close();
}

await bench();
