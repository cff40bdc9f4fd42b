import { accountIdOf, tenantIdOf } from '../../domain/shared/ids.js';

/**
 * Names that the documentation's examples use. The tests serve a tenant `demo` that has these accounts, and send every
 * example to it. Ids that only exist once something was done (holds, entries, tokens) are put in by the tests.
 */
const DEMO = tenantIdOf('demo');
const accountNumber = '1234567890';
const counterpartyNumber = '0987654321';
const dollarNumber = '5550001111';

export const EXAMPLE = {
  tenantId: DEMO,
  ownerId: '7b1f4c1e-6c5d-4a86-9a37-0d4a5cbb7a10',
  accountNumber,
  accountId: accountIdOf(DEMO, accountNumber),
  counterpartyNumber,
  counterpartyId: accountIdOf(DEMO, counterpartyNumber),
  dollarNumber,
  dollarId: accountIdOf(DEMO, dollarNumber),
  /** Empty accounts, to be closed and frozen. */
  spareNumber: '4000000001',
  spareId: accountIdOf(DEMO, '4000000001'),
  entryId: '019aac3a-7d50-6f2e-8c41-5b0d9e3f0000',
  holdId: '019aac3b-11a0-41d7-b0a3-77c2e9510000',
  groupId: '3f6d2d0e-90a7-5c6b-8b63-5a2c9c1f8b21',
  tokenId: '019aac3c-58f0-4a11-93b7-2d6a01c40000',
  interactionId: '2f1d8f86-14a3-4a53-a1b7-54a3a3e5c0de',
  instructionKey: 'e7a3c1f0-5f0a-4f3e-9a53-6f6f0a1c2b3d',
  at: '2026-11-22T10:30:00.000Z',
  date: '2026-11-22',
} as const;
