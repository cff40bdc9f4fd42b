import { scannedEvents } from '../../application/audit/aggregate-events.js';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import type { PayoutPorts } from '../../application/payouts/advance-payout.js';
import { withdrawalAsked } from '../../application/payouts/transfer-to-bank.js';
import type { Clock } from '../../application/ports/clock.js';
import type { EventLog, StoredEvent } from '../../application/ports/event-log.js';
import type { KeyVault } from '../../application/ports/key-vault.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { Actor } from '../../domain/shared/decider.js';
import { accountIdOf, tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { SimulatedPayoutPartner } from '../../infrastructure/partners/simulated-payout-partner.js';
import { MemoryPayouts, type SimulatedPayouts } from '../../infrastructure/partners/simulated-payouts.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { testSeal } from './identity.js';

const SYSTEM: Actor = { subject: 'system:test', roles: ['MANAGER', 'CASHIER'] };
const WALLET = 'LW-1';
export const BEFORE = 10_000_000n;

/** A tenant with one customer, his bank account and his loan wallet (100,000.00 naira), and the simulated partner. */
export class PayoutWorld {
  readonly ids = createIdSource();
  readonly customer = this.ids.eventId();
  readonly bankDetail = this.ids.eventId();
  readonly tenantId: string;
  readonly processor: CommandProcessor;
  readonly partner: SimulatedPayoutPartner;

  constructor(
    slug: string,
    readonly log: EventLog = new MemoryEventLog(),
    readonly clock: Clock = systemClock,
    readonly vault: KeyVault = new MemoryKeyVault(testSeal(), clock),
    readonly payouts: SimulatedPayouts = new MemoryPayouts(),
    times = { settleMs: 0, delayMs: 0 },
  ) {
    this.tenantId = tenantIdOf(slug);
    const states = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };
    this.processor = new CommandProcessor({ log, states, clock, ids: this.ids });
    this.partner = new SimulatedPayoutPartner(payouts, clock, times);
  }

  static async open(...args: ConstructorParameters<typeof PayoutWorld>): Promise<PayoutWorld> {
    const world = new PayoutWorld(...args);
    const { tenantId, customer, bankDetail } = world;
    const settings = {
      ...{ name: args[0], baseCurrency: 'NGN', currencies: ['NGN'], domains: [], branding: {}, emailTemplates: {} },
    };
    await world.run('create-tenant', { slug: args[0], settings });
    const person = await world.vault.seal(tenantId, customer, { firstName: 'Ada', lastName: 'Obi', email: 'a@b.c' });
    await world.run('register-customer', { customer, customerType: 'INDIVIDUAL', country: 'NGA', person });
    await world.run('add-bank-details', { customer, bankDetail, currency: 'NGN', country: 'NGA', person });
    const wallet = { owner: customer, currency: 'NGN', product: 'LOAN_WALLET', name: 'Loan wallet', number: WALLET };
    await world.run('open-account', wallet);
    const line = (accountNumber: string, side: 'debit' | 'credit') => ({
      ...{ accountNumber, currency: 'NGN', side, amount: BEFORE },
    });
    await world.run('post-journal-entry', { lines: [line('SYS-CASH-NGN', 'debit'), line(WALLET, 'credit')] });
    return world;
  }

  async run<N extends CommandName>(
    name: N,
    payload: CommandPayloads[N],
  ): Promise<Extract<Outcome, { status: 'accepted' }>> {
    const { tenantId } = this;
    const command: Command<N> = { name, payload, tenantId, actor: SYSTEM, correlationId: this.ids.eventId() };
    const outcome = await this.processor.execute(command);
    if (outcome.status === 'refused') throw new Error(`${name}: ${outcome.refusal.message}`);
    return outcome;
  }

  /** Asks for 100.00 naira to this account, with a fee of 10.00; the withdrawal's id. */
  async ask(accountNumber: string): Promise<string> {
    const destination = { accountNumber, accountName: 'Ada Obi', bankCode: '058', bankName: 'Guaranty Trust Bank' };
    const { customer, bankDetail } = this;
    const person = await this.vault.seal(this.tenantId, customer, destination);
    const wallet = accountIdOf(this.tenantId, WALLET);
    const wanted = {
      withdrawal: this.ids.eventId(),
      customer,
      wallet,
      bankDetail,
      currency: 'NGN',
      amount: 10_000n,
      fee: 1_000n,
      person,
    };
    return withdrawalAsked((await this.run('request-withdrawal', wanted)).events).data.withdrawal;
  }

  ports(more: Partial<PayoutPorts> = {}): PayoutPorts {
    const { log, vault, partner, processor: bus } = this;
    const readModels = { waitFor: () => Promise.resolve(true) };
    return { bus, log, events: scannedEvents(log), readModels, vault, partner, ...more };
  }

  /** What the log says of a withdrawal, oldest first. */
  async history(withdrawal: string): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const event of this.log.read(this.tenantId, { tags: [`withdrawal:${withdrawal}`] })) events.push(event);
    return events;
  }

  async types(withdrawal: string): Promise<string[]> {
    return (await this.history(withdrawal)).map(({ type }) => type.replace('withdrawal-', ''));
  }

  /** Of the wallet, of what is on its way, and of the fees earned. */
  async balances(): Promise<readonly [wallet: bigint, clearing: bigint, fees: bigint]> {
    const balances = new Map<string, bigint>();
    for await (const event of this.log.read(this.tenantId)) {
      if (event.type !== 'entry-posted') continue;
      const { lines } = event.data as { lines: ReadonlyArray<{ account: string; balance: string }> };
      for (const line of lines) balances.set(line.account, BigInt(line.balance));
    }
    const of = (number: string) => balances.get(accountIdOf(this.tenantId, number)) ?? 0n;
    return [of(WALLET), of('SYS-PAYOUT-CLEARING-NGN'), of('SYS-FEE-INCOME-NGN')];
  }
}
