/** Random commands about people, agents and settings, made of a few small numbers so that they can be drawn and shrunk. */
import type { Command, CommandName, CommandPayloads } from '../../application/commands.js';
import { keyOf, requestHash } from '../../application/idempotency.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import type { Actor, Role } from '../../domain/shared/decider.js';
import type { Json } from '../../domain/shared/event.js';
import { nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import type { PreferenceKey, PreferenceScope } from '../../domain/tenant/preferences.js';
import { ADA, plainlySealed } from './given-people.js';

export const PEOPLE_INTENTS = [
  ['register', 10], ['profile', 5], ['picture', 2], ['status', 6], ['verify', 4], ['add-bank', 10], ['remove-bank', 9], ['erase', 3],
  ['employ', 14], ['change-employee', 5], ['employee-status', 4], ['employee-picture', 1], ['erase-employee', 2], ['access', 6],
  ['agent', 9], ['update-agent', 3], ['agent-status', 6], ['preferences', 5], ['country', 3], ['key', 1],
  ['suspend', 1], ['resume', 8], ['retry', 14],
] as const; // prettier-ignore
export type PeopleIntentKind = (typeof PEOPLE_INTENTS)[number][0];

export interface PeopleIntent {
  readonly kind: PeopleIntentKind;
  readonly tenant: number;
  /** Which person or agent, and two numbers that choose among the rest. */
  readonly who: number;
  readonly a: number;
  readonly b: number;
  readonly actor: number;
  readonly keyed: boolean;
}

const SLUGS = ['first', 'second'] as const;
const AGENTS = ['lagos', 'ikeja', 'kano', 'Bad slug'] as const;
const PEOPLE_PER_TENANT = 4;
const ROLE_SETS: ReadonlyArray<readonly Role[]> = [['CASHIER'], ['MANAGER'], ['AGENT'], ['AGENT', 'CASHIER'], ['CUSTOMER'], ['AUDITOR', 'CASHIER']]; // prettier-ignore
const PREFERENCES: ReadonlyArray<readonly [PreferenceKey, Json]> = [['OTP_LENGTH', 6], ['OTP_LENGTH', 8], ['OTP_LENGTH', 99], ['LOGIN_OTP_REQUIRED', true], ['LOGIN_OTP_REQUIRED', null], ['OTP_LENGTH', null]]; // prettier-ignore
const MEMBERS: ReadonlyArray<readonly string[]> = [[], ['phone'], ['lastName', 'phone'], ['dob']];

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const settings = (n: number) => ({ name: `Agent ${n % 3}`, domains: [], branding: {}, emailTemplates: {} });

export class PeopleCommandMaker {
  #made = 0;
  readonly #sent: Command[] = [];

  founding(): Command[] {
    const more = { baseCurrency: 'NGN', currencies: ['NGN'], domains: [], branding: {}, emailTemplates: {} };
    return SLUGS.map((slug) =>
      this.#command(slug, 'create-tenant', { slug, settings: { name: slug, ...more } }, OPERATOR, false),
    );
  }

  make(intent: PeopleIntent): Command {
    const again = this.#sent.filter(({ idempotency }) => idempotency !== undefined);
    if (intent.kind === 'retry' && again.length > 0) return pick(again, intent.a);
    const slug = pick(SLUGS, intent.tenant);
    const [name, payload] = payloadOf(intent, tenantIdOf(slug)) as [CommandName, never];
    const command = this.#command(slug, name, payload, actorOf(intent, tenantIdOf(slug)), intent.keyed);
    this.#sent.push(command);
    return command;
  }

  #command<N extends CommandName>(
    slug: string,
    name: N,
    payload: CommandPayloads[N],
    actor: Actor,
    keyed: boolean,
  ): Command<N> {
    this.#made += 1;
    const tenantId = tenantIdOf(slug);
    const hash = requestHash('test', String(this.#made));
    const key = { idempotency: { id: keyOf(tenantId, name, `key ${this.#made}`), requestHash: hash } };
    return { name, tenantId, payload, actor, correlationId: `c${this.#made}`, ...(keyed ? key : {}) };
  }
}

const OPERATOR: Actor = { subject: 'operator', roles: ['MANAGER'] };

function actorOf({ actor }: PeopleIntent, tenantId: string): Actor {
  // Now and then somebody who may be the one it is about.
  return actor % 3 === 0
    ? { subject: `employee:${employeeOf(tenantId, actor >> 2)}`, roles: ['MANAGER'] }
    : { subject: 'operator', roles: ['MANAGER'] };
}

const customerOf = (tenantId: string, n: number): string =>
  nameBasedUuid(tenantId, `customer ${n % PEOPLE_PER_TENANT}`);
const employeeOf = (tenantId: string, n: number): string =>
  nameBasedUuid(tenantId, `employee ${n % PEOPLE_PER_TENANT}`);

type Made = { [N in CommandName]: readonly [N, CommandPayloads[N]] }[CommandName];

function payloadOf(intent: PeopleIntent, tenantId: string): Made {
  const { kind, who, a, b } = intent;
  const customer = customerOf(tenantId, who);
  const employee = employeeOf(tenantId, who);
  const agent = agentIdOf(tenantId, pick(AGENTS, a));
  const person = plainlySealed(customer, ADA);
  const maybeAgent = b % 2 === 0 ? {} : { agent };
  const bankDetail = nameBasedUuid(tenantId, `bank ${who} ${a % 3}`);
  switch (kind) {
    case 'register':
      return ['register-customer', { customer, customerType: 'INDIVIDUAL', country: 'NGA', ...maybeAgent, person }];
    case 'profile':
      return [
        'change-customer-profile',
        { customer, changed: pick(MEMBERS, a), country: pick(['NGA', 'GBR'], b), person },
      ];
    case 'picture':
      return [
        'set-customer-picture',
        { customer, file: nameBasedUuid(tenantId, `file ${a}`), contentType: 'image/png' },
      ];
    case 'status':
      return ['set-customer-status', { customer, to: pick(['ACTIVE', 'INACTIVE'] as const, a) }];
    case 'verify':
      return ['verify-customer', { customer, decision: pick(['APPROVE', 'REJECT'] as const, a) }];
    case 'add-bank':
      return ['add-bank-details', { customer, bankDetail, currency: 'NGN', country: 'NGA', person }];
    case 'remove-bank':
      return ['remove-bank-details', { customer, bankDetail }];
    case 'erase':
      return ['erase-customer', { customer, legalBasis: 'GDPR' }];
    case 'employ':
      return ['create-employee', { employee, roles: pick(ROLE_SETS, a >> 2), ...maybeAgent, person }];
    case 'change-employee':
      return ['change-employee', { employee, roles: pick(ROLE_SETS, a), branch: pick([null, 'A', 'B'], b) }];
    case 'employee-status':
      return ['set-employee-status', { employee, to: pick(['ACTIVE', 'INACTIVE'] as const, a) }];
    case 'employee-picture':
      return [
        'set-employee-picture',
        { employee, file: nameBasedUuid(tenantId, `file ${a}`), contentType: 'image/png' },
      ];
    case 'erase-employee':
      return ['erase-employee', { employee, legalBasis: 'GDPR' }];
    case 'access':
      return ['record-access', accessOf(customer, employee, a, b)];
    case 'agent':
      return [
        'create-agent',
        { slug: pick(AGENTS, who), ...(b % 2 === 0 ? {} : { parent: agent }), settings: settings(a) },
      ];
    case 'update-agent':
      return ['update-agent', { agent, settings: { name: settings(b).name } }];
    case 'agent-status':
      return ['set-agent-status', { agent, status: pick(['ACTIVE', 'SUSPENDED'] as const, b), reason: 'test' }];
    case 'preferences':
      return ['change-preferences', { changes: changesOf(agent, a, b) }];
    case 'country':
      return [
        'set-country',
        { country: pick(['NGA', 'GBR'], a), serving: { sending: b % 2 === 0 }, byDefault: NOT_SERVED },
      ];
    case 'key':
      return ['introduce-key', { kid: `k${a}`, use: 'JWT', algorithm: 'RS256' }];
    case 'suspend':
      return ['set-tenant-status', { status: 'SUSPENDED', reason: 'test' }];
    default:
      return ['set-tenant-status', { status: 'ACTIVE', reason: 'test' }];
  }
}

export const NOT_SERVED = { active: false, sending: false, receiving: false };

function accessOf(customer: string, employee: string, a: number, b: number): CommandPayloads['record-access'] {
  const user = a % 2 === 0 ? { kind: 'customer' as const, id: customer } : { kind: 'employee' as const, id: employee };
  const until = '2026-03-15T11:00:00.000Z';
  const facts = [
    { type: 'secret-set' as const, secret: 'LOGIN_PIN' as const, how: 'CREATED' as const },
    { type: 'user-locked' as const, secret: pick(['PASSWORD', 'LOGIN_PIN'] as const, a), until },
    { type: 'user-unlocked' as const },
  ];
  return { user, facts: facts.slice(0, (b % 3) + 1) };
}

function changesOf(agent: string, a: number, b: number): CommandPayloads['change-preferences']['changes'] {
  const [key, value] = pick(PREFERENCES, a);
  const [other, otherValue] = pick(PREFERENCES, b);
  const scope: PreferenceScope = b % 3 === 0 ? { agent } : b % 3 === 1 ? { country: 'NGA' } : {};
  return [{ key, scope, value }, ...(a % 2 === 0 ? [] : [{ key: other, scope: {}, value: otherValue }])];
}
