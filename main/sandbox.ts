import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DemoTenant } from '../application/sandbox/seed.js';

/** What scripts read: the address and the demo tenants with their tokens. */
export interface SandboxFile {
  readonly url: string;
  readonly tenants: readonly DemoTenant[];
}

const pathOf = (dataDir: string): string => join(dataDir, 'sandbox.json');

export async function readSandbox(dataDir: string): Promise<SandboxFile | undefined> {
  try {
    return JSON.parse(await readFile(pathOf(dataDir), 'utf8')) as SandboxFile;
  } catch {
    return undefined;
  }
}

/** Only the owner may read it: it holds tokens. */
export async function writeSandbox(dataDir: string, file: SandboxFile): Promise<void> {
  const path = pathOf(dataDir);
  await writeFile(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** What `npm start` prints: the address, the demo tenants, and calls that work as they stand. */
export function banner(file: SandboxFile, options: { readonly showTokens: boolean; readonly dataDir: string }): string {
  const [demo] = file.tenants;
  const lines = [
    `Corebook is ready at ${file.url}`,
    `  API reference ${file.url}/docs   OpenAPI ${file.url}/openapi.json`,
    '',
  ];
  for (const { tenant, tokens, users } of file.tenants) {
    lines.push(`tenant ${tenant}`);
    if (!options.showTokens) continue;
    for (const [role, token] of Object.entries(tokens)) lines.push(`  ${role.padEnd(9)}${token}`);
    for (const { email, password } of users) lines.push(`  log in as ${email.padEnd(32)} ${password}`);
  }
  lines.push('', `The same is in ${pathOf(options.dataDir)} (tokens and passwords are shown here once).`, '');
  if (demo !== undefined) lines.push('Move money:', ...curlLines(file.url, demo));
  return lines.join('\n');
}

/** Three calls that work as printed: post, put on hold, show the balance. */
export function curlLines(url: string, demo: DemoTenant): string[] {
  const [first, second] = demo.wallets;
  if (first === undefined || second === undefined) return [];
  const posting = [
    {
      primaryAccountNumber: first.accountNumber,
      currencyCode: demo.currency,
      creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
      counterParties: [
        { accountNumber: second.accountNumber, currencyCode: demo.currency, amount: 25, narration: 'lunch' },
      ],
      instructionIdempotencykey: 'first-transfer',
    },
  ];
  const hold = {
    accountId: first.accountId,
    amount: 10,
    currencyCode: demo.currency,
    type: 'HOLD',
    reason: 'card payment',
  };
  const token = demo.tokens.MANAGER;
  const call = `curl -s -H 'X-Auth-Token: ${token}' -H 'Content-Type: application/json'`;
  return [
    `${call} -X POST ${url}/api/v6/services/gateway/post-account -d '${JSON.stringify(posting)}'`,
    `${call} -X POST ${url}/api/v6/services/ledger/holds -d '${JSON.stringify(hold)}'`,
    `curl -s -H 'X-Auth-Token: ${token}' ${url}/api/v6/services/ledger/account-balance/${first.accountId}`,
  ];
}
