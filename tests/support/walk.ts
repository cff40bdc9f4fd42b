/** The documented walks (docs/examples), run word for word as their reader would. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { repositoryRoot } from './repository.js';

export interface Walked {
  /** Exit code; not 0 when a step was refused, which `stderr` tells. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function walk(
  script: 'lending-walk.sh' | 'onboarding.sh',
  environment: Readonly<Record<string, string>>,
): Promise<Walked> {
  const path = resolve(repositoryRoot, 'docs/examples', script);
  return new Promise((done) => {
    execFile('bash', [path], { env: { ...process.env, ...environment } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}
