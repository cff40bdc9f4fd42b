import { type Command, type CommandBus, type CommandName, type Outcome, Unavailable } from '../commands.js';
import { NotHanded } from '../ports/relay.js';
import { DEFAULT_PROCESSOR_OPTIONS, type ProcessorOptions, type ProcessorPorts } from './processor-ports.js';
import { TenantWriter } from './tenant-writer.js';

/** Tenants whose writers are kept in memory; idle ones beyond it are let go, least recently used first. */
const MAX_WRITERS = 1_000;

/** Every command goes through here: one writer per tenant, opened on its first command. */
export class CommandProcessor implements CommandBus {
  readonly #writers = new Map<string, TenantWriter>();
  readonly #options: ProcessorOptions;
  #closing = false;

  constructor(
    private readonly ports: ProcessorPorts,
    options: Partial<ProcessorOptions> = {},
  ) {
    this.#options = { ...DEFAULT_PROCESSOR_OPTIONS, ...options };
  }

  /**
   * Decides and appends one command. Throws `Overloaded` when the tenant's queue is full and `Unavailable` when the
   * log cannot be reached or stays contended; both may be retried with the same idempotency key.
   */
  execute<N extends CommandName>(command: Command<N>): Promise<Outcome> {
    if (this.#closing) return Promise.reject(new Unavailable('the processor is closing'));
    return this.#writerOf(command.tenantId).execute(command as unknown as Command);
  }

  /** As `execute`, for a command that another process has handed over: rejects with `NotHanded` when it does not take it. */
  executeHanded(command: Command): Promise<Outcome> {
    if (this.#closing) return Promise.reject(new NotHanded('the processor is closing'));
    return this.#writerOf(command.tenantId).execute(command, true);
  }

  /** Another process meets conflicts on this tenant: if this one writes to it they had better come to an arrangement. */
  invited(tenantId: string): void {
    this.#writers.get(tenantId)?.invited();
  }

  #writerOf(tenantId: string): TenantWriter {
    let writer = this.#writers.get(tenantId);
    if (writer === undefined) {
      this.#letGo();
      writer = new TenantWriter(tenantId, this.ports, this.#options);
      this.#writers.set(tenantId, writer);
    } else if (this.#writers.size > MAX_WRITERS / 2) {
      // Least recently used first, once it matters.
      this.#writers.delete(tenantId);
      this.#writers.set(tenantId, writer);
    }
    return writer;
  }

  /** Commands waiting over all tenants: for metrics. */
  get queueLength(): number {
    let sum = 0;
    for (const writer of this.#writers.values()) sum += writer.queueLength;
    return sum;
  }

  /** Refuses further commands and resolves when those taken have been answered. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const writer of this.#writers.values()) writer.leave();
    while ([...this.#writers.values()].some((writer) => !writer.idle)) await this.ports.clock.sleep(5);
  }

  #letGo(): void {
    if (this.#writers.size < MAX_WRITERS) return;
    for (const [tenantId, writer] of this.#writers) {
      if (!writer.idle) continue;
      writer.leave();
      this.#writers.delete(tenantId);
      if (this.#writers.size < MAX_WRITERS) return;
    }
  }
}
