/** What a load balancer and an operator see: `/ready` and `/health`, asked all the time. */
import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 100;
const PATIENCE_MS = 6_000;

export interface Sample {
  readonly askedMs: number;
  readonly atMs: number;
  /** 0: no answer. */
  readonly status: number;
  /** Names of the checks that failed. */
  readonly failing: readonly string[];
}

export class Watch {
  readonly ready: Sample[] = [];
  readonly health: Sample[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(private readonly url: string) {
    this.#running = Promise.all([this.#poll('/ready', this.ready), this.#poll('/health', this.health)]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get last(): Sample | undefined {
    return this.ready.at(-1);
  }

  async #poll(path: string, samples: Sample[]): Promise<void> {
    while (!this.#stopped) {
      const askedMs = performance.now();
      samples.push({ askedMs, ...(await ask(this.url + path)), atMs: performance.now() });
      await delay(EVERY_MS);
    }
  }
}

async function ask(url: string): Promise<{ status: number; failing: string[] }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const { checks = [] } = (await response.json()) as {
      checks?: Array<{ name: string; ok: boolean; detail?: string }>;
    };
    return { status: response.status, failing: checks.filter(({ ok }) => !ok).map(({ name }) => name) };
  } catch {
    return { status: 0, failing: [] };
  }
}
