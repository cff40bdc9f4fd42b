import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** Deciders whose scenarios are in tests/domain/people.test.ts. */
export function isAboutPeople(file: string): boolean {
  return /^(?:customer|employee|agent)\/|^access\/decide-user|^tenant\/decide-settings/.test(file);
}

/** Deciders whose scenarios are in tests/domain/loan.test.ts and withdrawal.test.ts; all others have theirs in ledger.test.ts. */
export function isAboutLending(file: string): boolean {
  return /^(?:loan|loan-product|withdrawal)\//.test(file);
}

/** Codes of the refusals that these files of domain/ can give, each once. */
export function refusalsIn(wanted: (file: string) => boolean): string[] {
  const folder = join(repositoryRoot, 'domain');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && wanted(name),
  );
  const codes = files.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/\brefuse\(\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
  );
  return [...new Set(codes)];
}
