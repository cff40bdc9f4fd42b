import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';

/** Of `localhost`, signed by itself and committed with the tests: it protects nothing. PEM texts. */
export const testCertificate = JSON.parse(
  readFileSync(join(repositoryRoot, 'tests/support/eventstore-fake/test-certificate.json'), 'utf8'),
) as { readonly key: string; readonly cert: string };
