/** One process of the product, as its users start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DemoTenant } from '../../application/sandbox/seed.js';
import type { SandboxFile } from '../../main/sandbox.js';
import { freePort } from './servers.js';
import { until } from './until.js';

/** Compiled where the suite is, from the sources otherwise (`FAULTS_SOURCES=1`: no build needed). */
const LAUNCH =
  process.env['FAULTS_SOURCES'] === undefined
    ? [resolve('main/corebook.mjs')]
    : ['--import', 'tsx', resolve('main/cli.ts')];
const START_MS = 60_000;
const KEPT_LINES = 400;

export class Product {
  #child: ChildProcess | undefined;
  #printed = '';
  readonly #lines: string[] = [];

  private constructor(
    readonly roles: string,
    readonly port: number,
    readonly directory: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Made, not started. */
  static async of(roles: string, env: Readonly<Record<string, string>>): Promise<Product> {
    const directory = await mkdtemp(join(tmpdir(), 'corebook-faults-'));
    return new Product(roles, await freePort(), directory, env);
  }

  get servesApi(): boolean {
    return this.roles.includes('api');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The newest lines of its log. */
  log(pattern?: RegExp): string[] {
    return pattern === undefined ? [...this.#lines] : this.#lines.filter((line) => pattern.test(line));
  }

  /** `extra`: of this run only. */
  launch(extra: Readonly<Record<string, string>> = {}): void {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, ['--max-semi-space-size=128', ...LAUNCH, 'start'], {
      env: {
        ...{
          PATH,
          HOME,
          ROLES: this.roles,
          DATA_DIR: this.directory,
          PORT: String(this.port),
          OPS_PORT: String(this.port),
          HOST: '127.0.0.1',
        },
        ...{ LOG_LEVEL: 'info', ...this.env, ...extra },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#printed = '';
    child.stdout.on('data', (piece: Buffer) => (this.#printed += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => {
      this.#lines.push(...piece.toString().trimEnd().split('\n'));
      if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
    });
  }

  /** Resolves when it has told its address (`api`) or has logged that it runs. */
  async started(): Promise<void> {
    await until(`${this.roles} serves`, START_MS, () => {
      if (!this.isRunning) throw new Error(`${this.roles} ended: ${this.#lines.slice(-5).join('\n')}`);
      return !this.servesApi || this.#printed.includes('is ready at');
    });
  }

  async start(extra: Readonly<Record<string, string>> = {}): Promise<void> {
    this.launch(extra);
    await this.started();
  }

  async sandbox(): Promise<DemoTenant> {
    const file = JSON.parse(await readFile(join(this.directory, 'sandbox.json'), 'utf8')) as SandboxFile;
    const [demo] = file.tenants;
    if (demo === undefined) throw new Error('the sandbox has no tenant');
    return demo;
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (this.isRunning) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode ?? child.signalCode;
  }

  async close(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** When nothing uses what it has written any more. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
