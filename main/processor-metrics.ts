import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Core } from './core.js';

/** What the metrics tell of the commands of this process. */
export function processorMetrics(register: Registry) {
  const registers = [register];
  const commands = new Counter({
    name: 'corebook_commands_appended_total',
    help: 'Commands whose batch was sent to the log',
    registers,
  });
  const events = new Counter({ name: 'corebook_events_appended_total', help: 'Events sent to the log', registers });
  const conflicts = new Counter({
    name: 'corebook_append_conflicts_total',
    help: 'Appends that another writer was before',
    registers,
  });
  const sizes = new Histogram({
    name: 'corebook_append_batch_events',
    help: 'Events of one append',
    buckets: [1, 4, 16, 64, 256, 1024, 4096],
    registers,
  });
  return {
    batch(count: number, size: number): void {
      commands.inc(count);
      events.inc(size);
      sizes.observe(size);
    },
    conflict(): void {
      conflicts.inc();
    },
  };
}

export function registerGauges(register: Registry, core: Core): void {
  new Gauge({
    name: 'corebook_command_queue_length',
    help: 'Commands waiting to be decided',
    registers: [register],
    collect() {
      this.set(core.processor.queueLength);
    },
  });
  new Gauge({
    name: 'corebook_lease_held',
    help: '1 where this process leads, 0 where it stands by',
    labelNames: ['lease'],
    registers: [register],
    collect() {
      this.reset();
      for (const { name, held } of core.leases.entered) this.set({ lease: name }, held ? 1 : 0);
    },
  });
}
