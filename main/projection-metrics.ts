import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ProjectionRunner } from '../projections/runner.js';

/** What the metrics tell of the projections of this process. */
export function projectionMetrics() {
  const labelNames = ['projection'];
  const events = new Counter({
    name: 'corebook_projection_events_total',
    help: 'Events projected',
    labelNames,
    registers: [],
  });
  const durations = new Histogram({
    name: 'corebook_projection_batch_seconds',
    help: 'Time of one batch, reading to commit',
    labelNames,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 1, 5],
    registers: [],
  });
  return {
    batch(projection: string, count: number, durationMs: number): void {
      events.inc({ projection }, count);
      durations.observe({ projection }, durationMs / 1000);
    },
    register(registry: Registry, runner: ProjectionRunner): void {
      registry.registerMetric(events);
      registry.registerMetric(durations);
      const gauge = (
        name: string,
        help: string,
        value: (status: ReturnType<ProjectionRunner['status']>[number]) => number,
      ): void => {
        new Gauge({
          name,
          help,
          labelNames,
          registers: [registry],
          collect() {
            for (const status of runner.status()) this.set({ projection: status.name }, value(status));
          },
        });
      };
      gauge(
        'corebook_projection_lag_events',
        'Events of the log that are not in the read model yet',
        (status) => status.lagEvents,
      );
      gauge(
        'corebook_projection_lag_seconds',
        'Age of the oldest event that is not in the read model',
        (status) => status.lagSeconds,
      );
      gauge('corebook_projection_parked', '1 while the projection is parked', (status) =>
        status.status === 'parked' ? 1 : 0,
      );
    },
  };
}
