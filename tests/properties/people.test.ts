/**
 * Random commands about people, agents and settings through the real processor on the memory log, several at once, with
 * restarts in between: every event may follow those before it, nobody comes back, and the folds are what the log says.
 */
import fc from 'fast-check';
import tap, { test } from 'tap';
import { type Command, Overloaded } from '../../application/commands.js';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { AgentState } from '../../domain/agent/agent.js';
import type { CustomerState } from '../../domain/customer/customer.js';
import type { EmployeeState } from '../../domain/employee/employee.js';
import type { Tag } from '../../domain/shared/event.js';
import type { TenantState } from '../../domain/tenant/tenant.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { FoldedReadModels } from '../support/folded-read-models.js';
import { type Attempt, checkAnswers } from '../support/answers.js';
import { foldAtEveryCut } from '../support/fold-cuts.js';
import { FoldingStateStore } from '../support/folding.js';
import { PlainVault } from '../support/given-people.js';
import { PEOPLE_INTENTS, PeopleCommandMaker, type PeopleIntentKind } from '../support/people-intents.js';
import { PeopleOracle } from '../support/people-oracle.js';
import { Random } from '../support/random.js';

tap.setTimeout(300_000);
const RUNS = Number(process.env['RUNS'] ?? 200);

const nat = fc.nat({ max: 1_000 });
const kind = fc.oneof(
  ...PEOPLE_INTENTS.map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as PeopleIntentKind) })),
);
const intent = fc.record({ kind, tenant: fc.nat({ max: 1 }), who: fc.nat({ max: 3 }), a: nat, b: nat, actor: fc.nat({ max: 15 }), keyed: fc.boolean() }); // prettier-ignore
const step = fc.record({
  together: fc.array(intent, { minLength: 1, maxLength: 6, size: 'max' }),
  project: fc.constantFrom(0, 1, 1_000),
  restart: fc.constantFrom(false, false, false, true),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(steps: readonly Step[], seed: number) {
  const log = new MemoryEventLog();
  const random = new Random(seed);
  let nowMs = Date.parse('2026-03-15T10:00:00.000Z');
  const clock = {
    nowMs: () => nowMs,
    sleep: () => Promise.resolve(),
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  const ids = {
    eventId: () => {
      const time = nowMs.toString(16).padStart(12, '0');
      const tail = random.hex(16);
      return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}0000`;
    },
    random: () => random.fraction(),
  };
  const states = new FoldingStateStore(() => log.readAll({ after: '', limit: 1_000_000 }));
  const start = () => new CommandProcessor({ log, states, clock, ids }, { maxCachedAggregates: 6, maxRecentKeys: 64 });
  let processor = start();
  const maker = new PeopleCommandMaker();
  const attempts: Attempt[] = [];
  let moment = 0;
  const send = async (command: Command): Promise<void> => {
    const sent = (moment += 1);
    const outcome = await processor.execute(command).catch(async (error: unknown) => {
      // Memory is full of what is not stored yet: nothing has happened, so it may be sent again.
      if (!(error instanceof Overloaded)) throw error;
      await states.advance(1_000_000);
      return await processor.execute(command);
    });
    attempts.push({ command, sent, answered: (moment += 1), outcome });
  };
  await Promise.all(maker.founding().map(send));
  for (const { together, project, restart } of steps) {
    nowMs += 700;
    await states.advance(project);
    if (restart) {
      await processor.close();
      processor = start();
    }
    await Promise.all(together.map((one) => send(maker.make(one))));
  }
  await processor.close();
  return { attempts, log, events: await log.readAll({ after: '', limit: 1_000_000 }) };
}

/** The events of each tenant against the rules, and what they fold to against what the rules say. */
function check(events: readonly StoredEvent[]): Map<string, PeopleOracle> {
  const oracles = new Map<string, PeopleOracle>();
  for (const tenantId of new Set(events.map((event) => event.tenantId))) {
    const own = events.filter((event) => event.tenantId === tenantId);
    const oracle = new PeopleOracle();
    oracles.set(tenantId, oracle);
    for (const event of own) oracle.take(event);
    const states = foldAtEveryCut(own);
    const same = (tag: Tag, is: boolean): void => {
      if (!is) throw new Error(`${tag} of the fold differs: ${JSON.stringify(states.get(tag))}`);
    };
    for (const [id, customer] of oracle.customers) {
      const state = states.get(`customer:${id}`) as CustomerState;
      same(`customer:${id}`, state.status === customer.status && state.complianceStatus === customer.compliance);
      same(`customer:${id}`, state.code === customer.code && String(state.bankDetails) === String([...customer.banks]));
    }
    for (const [id, employee] of oracle.employees) {
      const { status, roles, branch, agent } = states.get(`employee:${id}`) as EmployeeState;
      same(`employee:${id}`, status === employee.status && String(roles) === employee.roles);
      same(`employee:${id}`, (branch ?? null) === employee.branch && agent === employee.agent);
    }
    for (const [id, { status, slug, parent }] of oracle.agents) {
      const state = states.get(`agent:${id}`) as AgentState;
      same(`agent:${id}`, state.status === status && state.slug === slug && state.parent === parent);
    }
    const tenant = states.get(`tenant:${tenantId}`) as TenantState;
    same(`tenant:${tenantId}`, tenant.customerSequence === oracle.customers.size);
    const set = tenant.preferences.map(
      ({ key, scope, value }) => `${key} ${JSON.stringify(scope)}=${JSON.stringify(value)}`,
    );
    const wanted = [...oracle.preferences].map(([at, value]) => `${at}=${value}`);
    same(`tenant:${tenantId}`, String(set.sort()) === String(wanted.sort()));
  }
  return oracles;
}

/** Commands that name an erased person, sent after his erasure was answered, are refused. */
function checkErased(attempts: readonly Attempt[]): number {
  const erased = new Map<string, number>();
  let refused = 0;
  for (const { command, sent, answered, outcome } of [...attempts].sort((x, y) => x.sent - y.sent)) {
    const { customer, employee, user } = command.payload as {
      customer?: string;
      employee?: string;
      user?: { id: string };
    };
    const id = customer ?? employee ?? user?.id;
    if (id === undefined) continue;
    if (outcome?.status === 'accepted' && command.name.startsWith('erase-') && !erased.has(id)) {
      erased.set(id, answered ?? 0);
    } else if (sent > (erased.get(id) ?? Number.POSITIVE_INFINITY)) {
      refused += 1;
      const again = outcome?.status === 'accepted' && outcome.replayed;
      if (outcome?.status !== 'refused' && !again) throw new Error(`${command.name} on somebody who was erased`);
    }
  }
  return refused;
}

test('people, agents and settings keep their rules after any commands', async (t) => {
  const met = new Map<string, number>();
  const count = (name: string): void => void met.set(name, (met.get(name) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(fc.noBias(fc.array(step, { maxLength: 50, size: 'max' })), fc.nat(), async (steps, seed) => {
      const { attempts, events, log } = await play(steps, seed);
      checkAnswers(attempts, events);
      const oracles = check(events);
      for (let i = checkErased(attempts); i > 0; i -= 1) count('somebody erased');
      const models = new FoldedReadModels(log, new PlainVault());
      for (const [tenantId, { customers }] of oracles) {
        for (const [id, { code, status }] of customers) {
          const view = await models.customer(tenantId, code);
          if (view?.customerId !== id || view.status !== status || (view.person === null) !== (status === 'ERASED'))
            throw new Error(`customer ${id} is read as ${JSON.stringify(view)}`);
        }
      }
      for (const { command, outcome } of attempts)
        count(
          outcome?.status === 'refused'
            ? outcome.refusal.refused
            : `${command.name}${outcome?.replayed === true ? ' again' : ''}`,
        );
      for (const { type } of events) count(type);
    }),
    {
      numRuns: RUNS,
      interruptAfterTimeLimit: 100_000,
      markInterruptAsFailure: true,
      ...(process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }),
    },
  );
  t.comment([...met].sort().map(([name, times]) => `${name} ${times}`).join(', ')); // prettier-ignore
  // A property that met nothing shows nothing.
  for (const name of [
    'customer-registered', 'customer-profile-changed', 'customer-picture-set', 'customer-status-set', 'customer-compliance-set',
    'bank-details-added', 'bank-details-removed', 'customer-erased', 'employee-created', 'employee-changed', 'employee-status-set',
    'employee-picture-set', 'employee-erased', 'agent-created', 'agent-updated', 'agent-status-set', 'preferences-changed', 'country-set',
    'key-introduced', 'secret-set', 'user-locked', 'user-unlocked', 'register-customer again', 'somebody erased',
    'customer-not-found', 'employee-not-found', 'agent-not-found', 'agent-exists', 'agent-suspended', 'bank-details-not-found',
    'invalid-argument', 'invalid-state', 'tenant-suspended',
  ]) t.ok((met.get(name) ?? 0) > 0, `met: ${name}`); // prettier-ignore
});
