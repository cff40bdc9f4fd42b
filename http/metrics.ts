import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Endpoint } from './endpoint.js';

/** Requests by endpoint: bound to their labels once, so that counting one is an addition. */
export class HttpMetrics {
  readonly #seconds: Histogram<'endpoint'>;
  readonly #requests: Counter<'endpoint' | 'status'>;
  readonly #bound = new Map<string, Histogram.Internal<'endpoint'>>();
  readonly #counters = new Map<string, Counter.Internal>();
  readonly #running: Gauge;
  running = 0;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#seconds = new Histogram({
      name: 'corebook_http_request_seconds',
      help: 'Time from the request to its answer, by endpoint',
      labelNames: ['endpoint'],
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    });
    this.#requests = new Counter({
      name: 'corebook_http_requests_total',
      help: 'Answers by endpoint and HTTP status',
      labelNames: ['endpoint', 'status'],
      registers,
    });
    this.#running = new Gauge({
      name: 'corebook_http_requests_running',
      help: 'Requests that are being answered',
      registers,
      collect: () => this.#running.set(this.running),
    });
  }

  observe(endpoint: Endpoint | undefined, status: number, ms: number): void {
    const id = endpoint?.id ?? 'none';
    let bound = this.#bound.get(id);
    if (bound === undefined) {
      bound = this.#seconds.labels(id);
      this.#bound.set(id, bound);
    }
    bound.observe(ms / 1000);
    const key = id + String(status);
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = this.#requests.labels(id, String(status));
      this.#counters.set(key, counter);
    }
    counter.inc();
  }
}
