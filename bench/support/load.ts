import { createHash } from 'node:crypto';
import { accountNumberOf } from '../../domain/ledger/account-number.js';
import type { PostEntries, PostingInstruction } from '../../domain/ledger/commands.js';
import { type Run, SLUG } from './open-core.js';

/** Work for the write path: a tenant, accounts without floors, and transfers between random ones. */
const OWNER = '11111111-1111-4111-8111-111111111111';
const OPENINGS_AT_ONCE = 512;

export async function createTenant(run: Run): Promise<void> {
  await run('create-tenant', {
    slug: SLUG,
    settings: {
      name: 'Bench',
      baseCurrency: 'EUR',
      currencies: ['EUR'],
      domains: [],
      branding: {},
      emailTemplates: {},
    },
  });
}

export async function openAccounts(run: Run, count: number): Promise<void> {
  for (let done = 0; done < count; done += OPENINGS_AT_ONCE) {
    const size = Math.min(OPENINGS_AT_ONCE, count - done);
    await Promise.all(
      Array.from({ length: size }, () =>
        run('open-account', { owner: OWNER, currency: 'EUR', product: 'INTERNAL', name: 'bench' }),
      ),
    );
  }
}

const numbers: string[] = [];
let next = 0;

function numberAt(index: number): string {
  while (numbers.length <= index) numbers.push(accountNumberOf(numbers.length + 1));
  return numbers[index] as string;
}

/** One transfer among the first `accounts` accounts, under a key of its own; `hot`: the first one is always debited. */
export function transfer(accounts: number, hot = false): PostingInstruction {
  next += 1;
  const primary = hot ? 0 : Math.floor(Math.random() * accounts);
  const other = (primary + 1 + Math.floor(Math.random() * (accounts - 1))) % accounts;
  const digest = createHash('sha256').update(`${process.pid} ${next}`).digest('hex');
  return {
    primaryNumber: numberAt(primary),
    currency: 'EUR',
    direction: 'debit-primary',
    counterparties: [{ number: numberAt(other), currency: 'EUR', amount: 100n, narration: 'transfer' }],
    key: {
      text: `k${next}`,
      id: `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20, 32)}`,
      requestHash: digest.slice(32, 64),
    },
  };
}

export function transfers(count: number, accounts: number, hot = false): PostEntries {
  return { instructions: Array.from({ length: count }, () => transfer(accounts, hot)) };
}
