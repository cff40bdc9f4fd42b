import { KeyRefused } from '../../application/access/tenant-keys.js';
import { type Failure, refusalFailure } from '../problem.js';

/** Keys are made on first use, which a tenant that is suspended at that moment may not. */
export async function refusedKeys<T>(ask: () => Promise<T>): Promise<T | Failure> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KeyRefused) return refusalFailure(error.outcome.refusal);
    throw error;
  }
}
