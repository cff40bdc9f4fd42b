/** What the driver does, by name: whoever knows the name can ask for the same again. */
import { keyOf, POST_INSTRUCTION, requestHash } from '../../application/idempotency.js';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import { nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';

export const SLUG = 'doomed';
export const TENANT = tenantIdOf(SLUG);
const ACCOUNTS = 8;

/** A line that the driver writes, to a file and at once, so that what was answered is known even after `kill -9`. */
export type Report =
  | { readonly ready: true }
  | { readonly sent: string }
  | { readonly answer: string; readonly outcome: Outcome }
  | { readonly error: string; readonly message: string };

/** Tenant and accounts; everybody may found it again. */
export function foundation(): Command[] {
  const settings = {
    name: 'Doomed',
    baseCurrency: 'EUR',
    currencies: ['EUR'],
    domains: [],
    branding: {},
    emailTemplates: {},
  };
  return [
    command('found', 'create-tenant', { slug: SLUG, settings }),
    ...Array.from({ length: ACCOUNTS }, (_, i) =>
      command(`open ${i}`, 'open-account', {
        owner: TENANT,
        currency: 'EUR',
        product: 'INTERNAL',
        name: `${i}`,
        number: `N${i}`,
      }),
    ),
  ];
}

/** `<kind> <round> <caller> <count>`; a deed of kind `once` has no key and is never asked for twice. */
export function deed(name: string): Command {
  const [kind, , , count = '0'] = name.split(' ');
  const n = Number.parseInt(count, 10);
  const [from, to] = [`N${n % ACCOUNTS}`, `N${(n + 1 + (n % (ACCOUNTS - 1))) % ACCOUNTS}`] as const;
  const amount = BigInt(1 + (n % 97));
  const line = (accountNumber: string, side: 'debit' | 'credit') => ({ accountNumber, currency: 'EUR', side, amount });
  if (kind === 'once') return bare(name, 'post-journal-entry', { lines: [line(from, 'debit'), line(to, 'credit')] });
  if (kind === 'journal')
    return command(name, 'post-journal-entry', { lines: [line(from, 'debit'), line(to, 'credit')] });
  const counterparties = [{ number: to, currency: 'EUR', amount }];
  const key = { text: name, id: keyOf(TENANT, POST_INSTRUCTION, name), requestHash: requestHash('driver', name) };
  return bare(name, 'post-entries', {
    instructions: [{ primaryNumber: from, currency: 'EUR', direction: 'debit-primary', counterparties, key }],
  });
}

function bare<N extends CommandName>(name: string, command: N, payload: CommandPayloads[N]): Command<N> {
  const actor = { subject: 'driver', roles: ['MANAGER'] } as const;
  return { name: command, tenantId: TENANT, payload, actor, correlationId: nameBasedUuid(TENANT, name) };
}

function command<N extends CommandName>(name: string, commandName: N, payload: CommandPayloads[N]): Command<N> {
  const idempotency = { id: keyOf(TENANT, commandName, name), requestHash: requestHash('driver', name) };
  return { ...bare(name, commandName, payload), idempotency };
}
