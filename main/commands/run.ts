import { SingleBar } from 'cli-progress';

/** What every command shares: exit codes, output, progress. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, findings: 4 } as const;

/** A command that ends with a message and an exit code, not with a stack trace. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}

/** One JSON document, or text lines. */
export function print(value: Record<string, unknown>, json: boolean, text?: string): void {
  process.stdout.write(json || text === undefined ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

/** A bar on standard error where somebody looks at it; silent in scripts. */
export function progressBar(label: string, json: boolean): Progress {
  if (json || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: `${label} [{bar}] {percentage}% | {value}/{total} | {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
  });
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, 0);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
