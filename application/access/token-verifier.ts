import { BlockList, isIP } from 'node:net';
import { hasPassed } from '../elapsed.js';
import type { Role } from '../../domain/shared/decider.js';
import type { UserReference } from '../../domain/access/user-events.js';
import { Unavailable } from '../commands.js';
import type { Clock } from '../ports/clock.js';
import type { CredentialStore } from '../ports/credentials.js';
import type { SessionStore } from '../ports/sessions.js';
import type { FoundToken, TokenSecrets, TokenStore } from '../ports/token-store.js';
import type { AccessTokens, VerifiedAccessToken } from './access-tokens.js';

/** Who a token speaks for. */
export interface VerifiedToken {
  /** The API token's id, or the access token's `jti`. */
  readonly tokenId: string;
  readonly tenantId: string;
  /** Stored as the actor of every event: `token:<id>`, `customer:<id>` or `employee:<id>`. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** For CUSTOMER: whose data he may touch. */
  readonly customerId: string | undefined;
  /** For those who work for an agent: which. AGENT always has one. */
  readonly agentId: string | undefined;
  /** Who logged in; undefined for API tokens. */
  readonly user: UserReference | undefined;
  readonly sessionId: string | undefined;
  readonly expiresAt: string;
}

/** What access tokens of people who logged in are verified with. */
interface PeopleTokens {
  readonly accessTokens: Pick<AccessTokens, 'verify'>;
  readonly sessions: Pick<SessionStore, 'isRevoked'>;
  /** An API token of a customer is good for as long as he is. */
  readonly credentials: Pick<CredentialStore, 'byUser'>;
}

interface Entry {
  /** Undefined: no such token. */
  readonly verified: VerifiedToken | undefined;
  /** Not good from this moment on, whatever the store says. */
  readonly deadlineMs: number;
  readonly allowed: BlockList | undefined;
  /** Of an access token: its signature need not be verified again, only whether it was revoked. */
  readonly access: VerifiedAccessToken | undefined;
  loadedMs: number;
  refreshing: boolean;
  lastUsedMs: number;
}

/** Remembered tokens; when they are this many, the memory starts anew. */
const MAX_REMEMBERED = 10_000;
/** A remembered answer is asked again behind the caller's back after this long … */
const REFRESH_AFTER_MS = 1_000;
/** … and not used any more after this long: a token disabled in another process is refused here within it. */
const TRUST_MS = 2_000;
/** The time of last use is written at most this often. */
const TOUCH_EVERY_MS = 60_000;
/** An API token has no dots. */
const JWT = /^[\w-]{1,2000}\.[\w-]{1,6000}\.[\w-]{1,2000}$/;

/**
 * Tells who a presented token speaks for, from a small memory: a token in use is one map look-up. `forget` makes a
 * change in this process take effect at once.
 */
export class TokenVerifier {
  readonly #entries = new Map<string, Entry>();
  readonly #store: TokenStore;
  readonly #secrets: TokenSecrets;
  readonly #clock: Clock;
  readonly #people: PeopleTokens | undefined;
  /** Raised by `forget`: what was asked for before is not remembered. */
  #generation = 0;

  /** Without `people` API tokens are all there is. */
  constructor(store: TokenStore, secrets: TokenSecrets, clock: Clock, people?: PeopleTokens) {
    this.#store = store;
    this.#secrets = secrets;
    this.#clock = clock;
    this.#people = people;
  }

  /** Undefined when the token is unknown, expired, disabled, deleted, or not to be used from this address. */
  verify(token: string, remoteAddress: string): VerifiedToken | undefined | Promise<VerifiedToken | undefined> {
    const now = this.#clock.nowMs();
    const entry = this.#entries.get(token);
    if (entry === undefined || hasPassed(TRUST_MS, entry.loadedMs, now))
      return this.#loadAndJudge(token, remoteAddress);
    if (hasPassed(REFRESH_AFTER_MS, entry.loadedMs, now) && !entry.refreshing) this.#refresh(token, entry);
    return this.#judge(entry, remoteAddress, now);
  }

  /** Forgets a token by its id (an access token by its `jti`). */
  forget(tokenId: string): void {
    this.#forgetWhere((verified) => verified.tokenId === tokenId);
  }

  /** Forgets the access tokens of a session. */
  forgetSession(sessionId: string): void {
    this.#forgetWhere((verified) => verified.sessionId === sessionId);
  }

  /** Forgets every token that speaks for a user. */
  forgetUser(userId: string): void {
    this.#forgetWhere(({ user, customerId }) => user?.id === userId || customerId === userId);
  }

  #forgetWhere(matches: (verified: VerifiedToken) => boolean): void {
    this.#generation += 1;
    for (const [text, { verified }] of this.#entries)
      if (verified !== undefined && matches(verified)) this.#entries.delete(text);
  }

  async #loadAndJudge(token: string, remoteAddress: string): Promise<VerifiedToken | undefined> {
    const entry = await this.#load(token);
    return this.#judge(entry, remoteAddress, this.#clock.nowMs());
  }

  /** While it runs the old answer serves, so a token in use never waits. A failure leaves the old answer to run out. */
  #refresh(token: string, entry: Entry): void {
    entry.refreshing = true;
    this.#load(token).catch(() => {
      entry.refreshing = false;
    });
  }

  async #load(token: string): Promise<Entry> {
    const generation = this.#generation;
    const asked = this.#clock.nowMs();
    const known = this.#entries.get(token);
    if (this.#people !== undefined && JWT.test(token)) {
      const entry = await this.#loadAccess(this.#people, token, known, asked);
      return entry.access === undefined ? entry : this.#remember(token, generation, entry);
    }
    const hash = this.#secrets.hash(token);
    const found = hash === undefined ? undefined : await this.#find(hash);
    // Not remembered: he may be let in again at any moment.
    if (found !== undefined && (await this.#isKeptOut(found))) return entryOf(undefined, asked, 0);
    const entry = entryOf(found, asked, known?.lastUsedMs ?? 0);
    return hash === undefined ? entry : this.#remember(token, generation, entry);
  }

  /** Only what was once a token of ours is remembered: strangers must not fill the memory. */
  #remember(token: string, generation: number, entry: Entry): Entry {
    if (generation === this.#generation) {
      if (this.#entries.size >= MAX_REMEMBERED) this.#entries.clear();
      this.#entries.set(token, entry);
    }
    return entry;
  }

  async #loadAccess(people: PeopleTokens, token: string, known: Entry | undefined, asked: number): Promise<Entry> {
    const access = known?.access ?? (await people.accessTokens.verify(token));
    const lastUsedMs = asked;
    const nobody = { verified: undefined, deadlineMs: 0, allowed: undefined, access, loadedMs: asked };
    if (access === undefined) return { ...nobody, refreshing: false, lastUsedMs };
    const { jti, tenantId, userId, userKind, sessionId, roles, agentId, expiresAt } = access;
    if (await this.#isRevoked(people, access)) return { ...nobody, refreshing: false, lastUsedMs };
    const verified: VerifiedToken = {
      tokenId: jti,
      tenantId,
      subject: `${userKind}:${userId}`,
      roles,
      customerId: userKind === 'customer' ? userId : undefined,
      agentId,
      user: { kind: userKind, id: userId },
      sessionId,
      expiresAt,
    };
    return { ...nobody, verified, deadlineMs: Date.parse(expiresAt), refreshing: false, lastUsedMs };
  }

  async #isRevoked({ sessions }: PeopleTokens, { tenantId, jti, sessionId }: VerifiedAccessToken): Promise<boolean> {
    try {
      return await sessions.isRevoked(tenantId, jti, sessionId);
    } catch (error) {
      throw new Unavailable('the session store cannot be reached', { cause: error });
    }
  }

  /** Whether the customer that a token speaks for was deactivated. */
  async #isKeptOut({ token }: FoundToken): Promise<boolean> {
    const { customerId, tenantId } = token;
    if (customerId === null || this.#people === undefined) return false;
    try {
      return (await this.#people.credentials.byUser(tenantId, customerId))?.status === 'INACTIVE';
    } catch (error) {
      throw new Unavailable('the credentials cannot be reached', { cause: error });
    }
  }

  async #find(hash: string): Promise<FoundToken | undefined> {
    try {
      return await this.#store.findByHash(hash);
    } catch (error) {
      // Nothing is known about the token then: the caller may try again, he must not be told that it is no good.
      throw new Unavailable('the token store cannot be reached', { cause: error });
    }
  }

  #judge(entry: Entry, remoteAddress: string, now: number): VerifiedToken | undefined {
    const { verified } = entry;
    if (verified === undefined || now >= entry.deadlineMs) return undefined;
    if (entry.allowed !== undefined && !isAllowed(entry.allowed, remoteAddress)) return undefined;
    if (entry.access === undefined && now - entry.lastUsedMs >= TOUCH_EVERY_MS) {
      entry.lastUsedMs = now;
      // The time of last use is a hint for people: losing one write is no reason to refuse a call.
      this.#store.touch(verified.tenantId, verified.tokenId, new Date(now).toISOString()).catch(() => undefined);
    }
    return verified;
  }
}

function entryOf(found: FoundToken | undefined, loadedMs: number, lastUsedMs: number): Entry {
  const nobody = {
    ...{ verified: undefined, deadlineMs: 0, allowed: undefined, access: undefined },
    ...{ loadedMs, refreshing: false, lastUsedMs },
  };
  if (found === undefined || found.token.status !== 'ACTIVE') return nobody;
  const { token, isPrevious } = found;
  const expires = Date.parse(token.expiresAt);
  const graceEnds = isPrevious ? Date.parse(token.previousGraceUntil ?? '1970-01-01T00:00:00Z') : expires;
  return {
    verified: {
      tokenId: token.tokenId,
      tenantId: token.tenantId,
      subject: `token:${token.tokenId}`,
      roles: token.roles,
      customerId: token.customerId ?? undefined,
      agentId: token.agentId ?? undefined,
      user: undefined,
      sessionId: undefined,
      expiresAt: token.expiresAt,
    },
    deadlineMs: Math.min(expires, graceEnds),
    allowed: token.ipAllowList.length === 0 ? undefined : blockListOf(token.ipAllowList),
    access: undefined,
    loadedMs,
    refreshing: false,
    lastUsedMs: Math.max(lastUsedMs, token.lastUsedAt === null ? 0 : Date.parse(token.lastUsedAt)),
  };
}

/** Whether a text is an IP address or a CIDR block that an allow-list may hold. */
export function isAddressOrBlock(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number.parseInt(bits, 10) <= (family === 4 ? 32 : 128));
}

function blockListOf(allowList: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of allowList) {
    if (!isAddressOrBlock(text)) continue;
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number.parseInt(bits, 10), family);
  }
  return list;
}

function isAllowed(list: BlockList, remoteAddress: string): boolean {
  // An IPv4 caller of a dual-stack socket is seen as ::ffff:a.b.c.d.
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
