/** The command line as its users run it, beside the tests: compiled like them, or a source like them. */
import { type ChildProcess, execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN = fileURLToPath(import.meta.url);
const CLI = join(OWN, '..', '..', '..', 'main', OWN.endsWith('.ts') ? 'cli.ts' : 'cli.js');

interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** What it printed with `--json`, or an empty object. */
  readonly json: Record<string, unknown>;
  readonly errors: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly done: Promise<Ran>;
}

export function corebook(environment: Readonly<Record<string, string>>, ...parameters: string[]): RunningCommand {
  const { PATH = '', HOME = '' } = process.env;
  let child: ChildProcess | undefined;
  const done = new Promise<Ran>((resolve) => {
    child = execFile(
      process.execPath,
      [...process.execArgv, CLI, '--json', ...parameters],
      { env: { PATH, HOME, LOG_LEVEL: 'warn', ...environment }, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => {
        const json = stdout.startsWith('{') ? (JSON.parse(stdout) as Record<string, unknown>) : {};
        resolve({ code: child?.exitCode ?? null, json, errors: stderr + stdout });
      },
    );
  });
  return { process: child as ChildProcess, done };
}
