import { execFile } from 'node:child_process';

/** What the tests look at in a service, as `docker-compose config` prints it: merged, with nothing left to be filled in. */
export interface ComposeService {
  readonly image: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly { readonly source: string; readonly target?: string }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
}

export interface ComposeProject {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file?: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Docker-compose is written in Python and brings its YAML along; we need no package for one test. */
const TO_JSON = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';

/**
 * Reads and merges the files with Debian's docker-compose, which needs no engine for it. Throws what it complains of.
 * Undefined when it is not installed.
 */
export async function composeProject(files: readonly string[]): Promise<ComposeProject | undefined> {
  const parameters = [...files.flatMap((file) => ['--file', file]), 'config'];
  try {
    const text = await run('docker-compose', parameters);
    return JSON.parse(await run('python3', ['-c', TO_JSON], text)) as ComposeProject;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function run(command: string, parameters: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    // What the files take from the environment keeps its default.
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };
    const child = execFile(command, parameters, { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(error, { message: `${command}: ${stderr || error.message}` }));
    });
    child.stdin?.on('error', () => undefined); // It ended without reading; its exit says why.
    child.stdin?.end(input);
  });
}
