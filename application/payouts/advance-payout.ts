import { tagOf } from '../../domain/aggregates.js';
import type { Actor } from '../../domain/shared/decider.js';
import type { WithdrawalEvent } from '../../domain/withdrawal/events.js';
import { type WithdrawalState, withdrawalAggregate } from '../../domain/withdrawal/withdrawal.js';
import type { AggregateEvents } from '../audit/aggregate-events.js';
import type { CommandBus, CommandName, CommandPayloads } from '../commands.js';
import type { EventLog } from '../ports/event-log.js';
import type { KeyVault } from '../ports/key-vault.js';
import type { PayoutAnswer, PayoutDestination, PayoutPartner } from '../ports/payout-partner.js';
import type { ReadModels } from '../ports/read-models.js';

export interface PayoutPorts {
  readonly bus: CommandBus;
  readonly log: Pick<EventLog, 'head'>;
  readonly events: AggregateEvents;
  readonly readModels: Pick<ReadModels, 'waitFor'>;
  readonly vault: Pick<KeyVault, 'open'>;
  readonly partner: PayoutPartner;
}

/** Which withdrawal, in whose name it is looked after, for the log. */
export interface PayoutStep {
  readonly tenantId: string;
  readonly withdrawal: string;
  readonly correlation: string;
}

export const PAYOUT_ACTOR: Actor = { subject: 'system:payouts', roles: [] };
const READ_MODEL_WAIT_MS = 10_000;

/**
 * Brings one withdrawal as far as it gets now. The log says what is open; the partner is asked what he knows before he is
 * given anything, because the answer to an earlier attempt may have been lost; what he says is written to the log. A crash
 * between any two of these leaves a step that is taken again and finds what was done. Money comes back only where the
 * partner is sure that none will move; an error means that nobody knows, and is tried again.
 */
export async function advancePayout(ports: PayoutPorts, step: PayoutStep): Promise<'settled' | 'open'> {
  const { tenantId, withdrawal } = step;
  const state = await withdrawalNow(ports, step);
  if (state.status === 'COMPLETED' || state.status === 'FAILED') return 'settled';
  const known = await ports.partner.find({ tenantId, payoutId: withdrawal });
  if (known !== undefined) return record(ports, step, state, known);
  if (state.status !== 'PENDING') {
    throw new Error(`partner ${ports.partner.name} does not know transfer ${state.reference}, which he had`);
  }
  const destination = await destinationOf(ports, tenantId, state);
  if (destination === undefined) {
    await run(ports, step, 'fail-withdrawal', { withdrawal, reason: 'DESTINATION_ERASED' });
    return 'settled';
  }
  const { reference, currency, amount } = state;
  const payout = { tenantId, payoutId: withdrawal, reference, currency, amount, destination };
  return record(ports, step, state, await ports.partner.submit(payout));
}

/** What the log says, all that was committed before this call: a read model by itself might be behind. */
async function withdrawalNow(ports: PayoutPorts, { tenantId, withdrawal }: PayoutStep): Promise<WithdrawalState> {
  const { revision, position } = await ports.log.head(tenantId);
  if (!(await ports.readModels.waitFor(position, READ_MODEL_WAIT_MS))) throw new Error('the read models are behind');
  let state = withdrawalAggregate.initial(withdrawal);
  for await (const event of ports.events.events(tenantId, tagOf('withdrawal', withdrawal), revision)) {
    state = withdrawalAggregate.evolve(state, event as unknown as WithdrawalEvent, withdrawal);
  }
  if (state.status === 'NONE') throw new Error(`there is no withdrawal ${withdrawal}`);
  return state;
}

/** Undefined when the person was erased. */
async function destinationOf(
  { vault }: PayoutPorts,
  tenantId: string,
  { destination: person }: WithdrawalState,
): Promise<PayoutDestination | undefined> {
  if (person === undefined) throw new Error('a withdrawal has a destination');
  const [opened] = await vault.open([{ tenantId, person }]);
  return opened as PayoutDestination | undefined;
}

async function record(
  ports: PayoutPorts,
  step: PayoutStep,
  state: WithdrawalState,
  answer: PayoutAnswer,
): Promise<'settled' | 'open'> {
  const { withdrawal } = step;
  const { partnerReference } = answer;
  if (state.status === 'PENDING' && partnerReference !== undefined) {
    await run(ports, step, 'submit-withdrawal', { withdrawal, partner: ports.partner.name, partnerReference });
  }
  switch (answer.status) {
    case 'ACCEPTED':
      return 'open';
    case 'PAID':
      await run(ports, step, 'complete-withdrawal', { withdrawal });
      return 'settled';
    case 'FAILED':
      await run(ports, step, 'fail-withdrawal', { withdrawal, reason: answer.reason });
      return 'settled';
  }
}

async function run<N extends CommandName>(
  { bus }: PayoutPorts,
  { tenantId, correlation: correlationId }: PayoutStep,
  name: N,
  payload: CommandPayloads[N],
): Promise<void> {
  const outcome = await bus.execute({ name, tenantId, payload, actor: PAYOUT_ACTOR, correlationId });
  // Loud: a partner who takes back what he said (paid, then failed) needs people.
  if (outcome.status === 'refused') throw new Error(`${name} was refused: ${outcome.refusal.message}`);
}
