/**
 * Random commands that make sense: an intent is a handful of small numbers (so that it can be drawn from a seed or be
 * shrunk), and a town knows enough of its books to make a command of it.
 */
import { keyOf, POST_INSTRUCTION, requestHash } from '../../application/idempotency.js';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import type { PostingInstruction } from '../../domain/ledger/commands.js';
import type { Actor, Role } from '../../domain/shared/decider.js';
import { accountIdOf, nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';

export const INTENTS = [
  ['post', 10], ['post-many', 4], ['journal', 2], ['fx', 4], ['hold', 6], ['hold-group', 2], ['capture', 6], ['release', 3], ['release-group', 1],
  ['expire', 2], ['reverse', 5], ['reverse-part', 2], ['open', 3], ['freeze', 1], ['unfreeze', 2], ['permission', 2], ['limits', 2], ['close', 1],
  ['suspend', 1], ['resume', 2], ['enable', 1], ['token', 1], ['foreign', 3], ['retry', 8], ['reuse', 2], ['poison', 1],
] as const; // prettier-ignore
export type IntentKind = (typeof INTENTS)[number][0];

export interface Intent {
  readonly kind: IntentKind;
  readonly tenant: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly amount: number;
  readonly option: number;
  readonly actor: number;
  readonly keyed: boolean;
}

export const CURRENCIES = ['NGN', 'JPY', 'KWD'] as const;
/** Amounts that meet floors and ceilings, a few that are no amounts at all. */
const AMOUNTS = [
  1n,
  2n,
  3n,
  5n,
  10n,
  20n,
  33n,
  50n,
  99n,
  100n,
  250n,
  500n,
  1_000n,
  4_000n,
  0n,
  -5n,
  10n ** 24n,
  10n ** 24n + 1n,
];
const DATES = [
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  '2026-01-01',
  '2020-02-29',
  '1899-12-31',
  '2031-01-01',
  '2026-02-30',
];

interface Account {
  readonly id: string;
  readonly number: string;
  readonly currency: string;
}

/** One tenant as its users know it. */
export interface Town {
  readonly slug: string;
  readonly id: string;
  readonly owner: string;
  readonly accounts: Account[];
  readonly holds: Array<{ readonly id: string; readonly currency: string; readonly group: string | undefined }>;
  readonly entries: Array<{ readonly id: string; readonly lines: number }>;
  readonly tokens: string[];
  readonly sent: Command[];
}

export function foundTown(slug: string): Town {
  const id = tenantIdOf(slug);
  return { slug, id, owner: nameBasedUuid(id, 'owner'), accounts: [], holds: [], entries: [], tokens: [], sent: [] };
}

const MANAGER: Actor = { subject: 'manager', roles: ['MANAGER'] };
const CORRELATED = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

/** Makes commands, each with a correlation id of its own. Not random: everything comes from the intent. */
export class CommandMaker {
  #count = 0;

  /** The commands that a town needs first: the tenant, accounts of every kind in each currency, and money. */
  founding(town: Town): Command[][] {
    const settings = {
      name: town.slug,
      baseCurrency: 'NGN',
      currencies: [...CURRENCIES],
      domains: [],
      branding: {},
      emailTemplates: {},
    };
    const opens: Command[] = [];
    const funds: Command[] = [];
    for (const currency of CURRENCIES) {
      const open = (name: string, product: string, more: Partial<CommandPayloads['open-account']> = {}): void => {
        const number = `${name}-${currency}`;
        town.accounts.push({ id: accountIdOf(town.id, number), number, currency });
        opens.push(
          this.#keyed(town, MANAGER, 'open-account', { owner: town.owner, currency, product, name, number, ...more }),
        );
      };
      open('BANK', 'INTERNAL');
      open('W1', 'WALLET', { overdraftLimit: 300n });
      open('W2', 'WALLET');
      open('W3', 'SAVINGS', { minimumBalance: 10n, maximumBalance: 5_000n });
      open('TILL', 'TILL', { overdraftLimit: 50n });
      for (const to of ['W1', 'W2', 'W3']) {
        const instruction = this.#instruction(`BANK-${currency}`, `${to}-${currency}`, currency, 1_000n);
        funds.push(
          this.#command(town, MANAGER, 'post-entries', { instructions: [this.#withKey(town, MANAGER, instruction)] }),
        );
      }
    }
    return [[this.#keyed(town, MANAGER, 'create-tenant', { slug: town.slug, settings })], opens, funds];
  }

  make(intent: Intent, towns: readonly Town[], now: string): Command {
    const town = towns[intent.tenant % towns.length] as Town;
    if (intent.kind === 'retry' || intent.kind === 'reuse') {
      const recent = town.sent.slice(-30);
      const again = recent[intent.a % Math.max(1, recent.length)];
      if (again !== undefined) return intent.kind === 'retry' ? again : this.#reuse(again);
    }
    const { name, payload } = this.#payload(intent, town, towns, now);
    const actor = actorOf(intent, town);
    return intent.keyed && name !== 'post-entries'
      ? this.#keyed(town, actor, name, payload as never)
      : this.#command(town, actor, name, payload as never);
  }

  /** What its users learn from an answer. */
  learn(towns: readonly Town[], command: Command, outcome: Outcome): void {
    const town = towns.find(({ id }) => id === command.tenantId);
    if (town === undefined || outcome.status !== 'accepted') return;
    for (const { id, type, data } of outcome.events) {
      const it = data as Record<string, string> & { lines: unknown[] };
      const has = (list: ReadonlyArray<{ id: string }>, key: string | undefined) => list.some((one) => one.id === key);
      if (type === 'account-opened' && !has(town.accounts, it['account'])) {
        town.accounts.push({ id: it['account'] ?? '', number: it['number'] ?? '', currency: it['currency'] ?? '' });
      } else if (type === 'hold-placed' && !has(town.holds, it['hold'])) {
        town.holds.push({ id: it['hold'] ?? '', currency: it['currency'] ?? '', group: it['group'] });
      } else if (type === 'entry-posted' && !has(town.entries, id)) {
        town.entries.push({ id, lines: it.lines.length });
      }
    }
  }

  #payload(intent: Intent, town: Town, towns: readonly Town[], now: string): { name: CommandName; payload: unknown } {
    const { kind, a, b, c, option } = intent;
    const amount = AMOUNTS[intent.amount % AMOUNTS.length] as bigint;
    const from = pick(town.accounts, a);
    // Mostly of the same currency: without it nearly everything would be refused.
    const same = town.accounts.filter(({ currency }) => currency === from.currency);
    const to = option % 17 === 0 ? pick(town.accounts, b) : pick(same, b);
    const third = pick(same, c);
    const expiresAt = new Date(Date.parse(now) + 1_000 + (c % 40) * 1_000).toISOString();
    const valueDate = DATES[option % DATES.length];
    const dated = valueDate === undefined ? {} : { valueDate };
    const actor = actorOf(intent, town);
    const post = (...instructions: Array<Omit<PostingInstruction, 'key'>>) => ({
      name: 'post-entries' as const,
      payload: { instructions: instructions.map((one) => this.#withKey(town, actor, one)) },
    });
    switch (kind) {
      case 'post':
        return post({
          ...this.#instruction(from.number, to.number, from.currency, amount, option % 3 === 1),
          ...dated,
          ...(option % 7 === 3 ? { force: true } : {}),
          ...(option % 5 === 2 ? { overdraftFrom: b % 2 === 0 ? third.number : third.id } : {}),
        });
      case 'post-many':
        return post(
          this.#instruction(from.number, to.number, from.currency, amount),
          this.#instruction(to.number, third.number, from.currency, amount / 2n + 1n),
          {
            ...this.#instruction(third.number, from.number, from.currency, 1n),
            counterparties: [from, to].map(({ number }) => ({ number, currency: from.currency, amount: 3n })),
          },
        );
      case 'journal':
        return {
          name: 'post-journal-entry',
          payload: {
            lines: [
              { accountNumber: from.number, currency: from.currency, side: 'debit', amount: amount + 2n },
              { accountNumber: to.number, currency: from.currency, side: 'credit', amount },
              {
                accountNumber: third.number,
                currency: from.currency,
                side: 'credit',
                amount: option % 9 === 0 ? 1n : 2n,
              },
            ],
            ...dated,
          },
        };
      case 'fx': {
        const target = pick(town.accounts, b);
        const rate = ['1', '0.0025', '149.535', '3', '0', '0.000000000000000001'][option % 6];
        return {
          name: 'post-fx-entry',
          payload: {
            sourceNumber: from.number,
            targetNumber: target.number,
            sourceCurrency: from.currency,
            targetCurrency: target.currency,
            amount,
            rate,
          },
        };
      }
      case 'hold':
        return {
          name: 'place-holds',
          payload: {
            holds: [
              {
                account: from.id,
                currency: from.currency,
                amount,
                type: option % 4 === 0 ? 'LIEN' : 'HOLD',
                reason: 'r',
                ...(option % 4 === 1 ? { expiresAt } : {}),
              },
            ],
          },
        };
      case 'hold-group':
        return {
          name: 'place-holds',
          payload: {
            holds: [from, to, from].map(({ id, currency }) => ({
              account: id,
              currency,
              amount,
              type: 'HOLD',
              reason: 'r',
              ...(option % 2 === 1 ? { expiresAt } : {}),
            })),
          },
        };
      case 'capture': {
        const hold = pick(town.holds, a, NO_HOLD);
        const number = pick(
          town.accounts.filter(({ currency }) => currency === hold.currency),
          b,
          from,
        ).number;
        return {
          name: 'capture-hold',
          payload: {
            hold: hold.id,
            ...(option % 3 === 0 ? {} : { amount }),
            counterparties: [{ number, currency: hold.currency }],
            final: option % 5 === 0,
          },
        };
      }
      case 'release':
        return {
          name: 'release-hold',
          payload: { hold: pick(town.holds, a, NO_HOLD).id, ...(option % 2 === 0 ? {} : { amount }) },
        };
      case 'release-group': {
        const group = pick(
          town.holds.filter((hold) => hold.group !== undefined),
          a,
          { ...NO_HOLD, group: 'none' },
        ).group;
        return {
          name: 'release-hold-group',
          payload: { group, holds: town.holds.filter((hold) => hold.group === group).map(({ id }) => id) },
        };
      }
      case 'expire':
        return { name: 'expire-hold', payload: { hold: pick(town.holds, a, NO_HOLD).id } };
      case 'reverse':
        return { name: 'reverse-entry', payload: { entry: pick(town.entries, a, NO_ENTRY).id, reason: 'error' } };
      case 'reverse-part': {
        const entry = pick(town.entries, a, NO_ENTRY);
        const part =
          option % 2 === 0
            ? { amount }
            : {
                lines: [
                  { line: b % 4, amount },
                  { line: c % 4, amount },
                ],
              };
        return { name: 'reverse-entry', payload: { entry: entry.id, reason: 'part', ...part } };
      }
      case 'freeze':
        return {
          name: 'freeze-account',
          payload: { account: from.id, scope: option % 2 === 0 ? 'DEBIT' : 'ALL', reason: 'r' },
        };
      case 'unfreeze':
        return { name: 'unfreeze-account', payload: { account: from.id } };
      case 'permission':
        return {
          name: 'change-account-permission',
          payload: {
            account: from.id,
            permission: ['FULL_ACCESS', 'FULL_ACCESS', 'CREDIT_ONLY', 'DEBIT_ONLY', 'READ_ONLY'][option % 5],
          },
        };
      case 'limits':
        return {
          name: 'set-account-limits',
          payload: {
            account: from.id,
            overdraftLimit: amount,
            ...(option % 3 === 0 ? { minimumBalance: null } : {}),
            ...(option % 3 === 1 ? { maximumBalance: 9_000n } : {}),
          },
        };
      case 'close':
        return { name: 'close-account', payload: { account: from.id } };
      case 'suspend':
      case 'resume':
        return {
          name: 'set-tenant-status',
          payload: { status: kind === 'suspend' ? 'SUSPENDED' : 'ACTIVE', reason: 'r' },
        };
      case 'enable':
        return { name: 'enable-currencies', payload: { currencies: [['EUR', 'USD', 'NGN'][option % 3]] } };
      case 'token': {
        this.#count += 1;
        const token =
          option % 2 === 0
            ? nameBasedUuid(town.id, `token ${this.#count}`)
            : pick(town.tokens, a, nameBasedUuid(town.id, 'token'));
        town.tokens.push(token);
        return option % 2 === 0
          ? { name: 'issue-api-token', payload: { token, name: 't', roles: ['AGENT'], ipAllowList: [], expiresAt } }
          : { name: option % 3 === 0 ? 'disable-api-token' : 'delete-api-token', payload: { token } };
      }
      case 'foreign': {
        // Ids of another tenant's things are ids of nothing here.
        const other = towns[(intent.tenant + 1) % towns.length] as Town;
        const there = pick(other.accounts, b);
        if (option % 4 === 0)
          return { name: 'reverse-entry', payload: { entry: pick(other.entries, a, NO_ENTRY).id, reason: 'r' } };
        if (option % 4 === 1) return { name: 'release-hold', payload: { hold: pick(other.holds, a, NO_HOLD).id } };
        if (option % 4 === 2)
          return { name: 'freeze-account', payload: { account: there.id, scope: 'ALL', reason: 'r' } };
        return {
          name: 'place-holds',
          payload: { holds: [{ account: there.id, currency: there.currency, amount, type: 'HOLD', reason: 'r' }] },
        };
      }
      case 'poison':
        return post({ ...this.#instruction(from.number, to.number, from.currency, 1n), narration: 'a\u0000b' });
      default:
        return {
          name: 'open-account',
          payload: {
            owner: town.owner,
            currency: CURRENCIES[a % 3],
            product: ['WALLET', 'TILL', 'INTERNAL', 'YACHT'][option % 4],
            name: 'n',
            ...(option % 5 === 0 ? { number: `N${b % 5}` } : {}),
          },
        };
    }
  }

  #instruction(
    from: string,
    to: string,
    currency: string,
    amount: bigint,
    credit = false,
  ): Omit<PostingInstruction, 'key'> {
    return {
      primaryNumber: from,
      currency,
      direction: credit ? 'credit-primary' : 'debit-primary',
      counterparties: [{ number: to, currency, amount }],
    };
  }

  #withKey(town: Town, actor: Actor, instruction: Omit<PostingInstruction, 'key'>): PostingInstruction {
    this.#count += 1;
    const text = `i${this.#count}`;
    return {
      ...instruction,
      key: {
        text,
        id: keyOf(town.id, POST_INSTRUCTION, text),
        requestHash: requestHash(actor.subject, canonical(instruction)),
      },
    };
  }

  #command<N extends CommandName>(town: Town, actor: Actor, name: N, payload: CommandPayloads[N]): Command<N> {
    this.#count += 1;
    const command = { name, tenantId: town.id, payload, actor, correlationId: CORRELATED(this.#count) };
    if (name === 'post-entries') town.sent.push(command);
    return command;
  }

  #keyed<N extends CommandName>(town: Town, actor: Actor, name: N, payload: CommandPayloads[N]): Command<N> {
    const command = {
      ...this.#command(town, actor, name, payload),
      idempotency: {
        id: keyOf(town.id, name, `h${this.#count}`),
        requestHash: requestHash(actor.subject, canonical(payload)),
      },
    };
    town.sent.push(command);
    return command;
  }

  /** An old key with another request. */
  #reuse(old: Command): Command {
    this.#count += 1;
    const other = { correlationId: CORRELATED(this.#count), actor: MANAGER };
    if (old.idempotency !== undefined)
      return { ...old, ...other, idempotency: { ...old.idempotency, requestHash: `other ${this.#count}` } };
    const { instructions } = (old as Command<'post-entries'>).payload;
    const [first, ...rest] = instructions.map((one) => ({
      ...one,
      key: { ...one.key, requestHash: `other ${this.#count}` },
    }));
    if (first === undefined) return old;
    return { ...old, ...other, payload: { instructions: [first, ...rest] } };
  }
}

const NO_HOLD: Town['holds'][number] = {
  id: '00000000-0000-4000-8000-00000000ffff',
  currency: 'NGN',
  group: undefined,
};
const NO_ENTRY: Town['entries'][number] = { id: '00000000-0000-4000-8000-00000000fffe', lines: 2 };

function pick<T>(list: readonly T[], index: number, otherwise?: T): T {
  const found = list[index % Math.max(1, list.length)] ?? otherwise;
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

function actorOf(intent: Intent, town: Town): Actor {
  const roles: Role[] = ['MANAGER', 'MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'];
  const role = roles[intent.actor % roles.length] as Role;
  if (role === 'CUSTOMER')
    return { subject: 'customer', roles: [role], customerId: intent.actor % 2 === 0 ? town.owner : town.id };
  return { subject: role.toLowerCase(), roles: [role] };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
