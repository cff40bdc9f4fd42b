import { z } from 'zod';
import { POST_INSTRUCTION, keyOf } from '../../application/idempotency.js';
import type { EntryFilter } from '../../application/ports/read-models.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { headerText } from '../headers.js';
import { RequestFailed, invalid } from '../problem.js';
import { dateIn, page, pageFromZero, pagedOf, size, sizeInPath, uuid } from '../schemas.js';
import { ENTRY_EXAMPLE, entryOut, entryShape } from './entry-shape.js';
import { EXAMPLE } from './examples.js';
import { visibleAccount, visibleLines } from './visible.js';

const READERS = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR'] as const;
const entries = z.object({ entries: z.array(entryShape) });

export const ledgerHistory = defineEndpoint({
  id: 'ledger-history',
  group: 'ledger',
  title: 'Ledger history',
  description:
    'Entries of an account, newest first. In the path pages count from 0, as documented; in the query from 1.',
  method: 'GET',
  path: '/api/v6/services/ledger/account-ledger-history/{accountId}/{page}/{size}',
  aliases: [{ method: 'GET', path: '/api/v6/services/ledger/account-ledger-history/{accountId}' }],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ accountId: uuid, page: pageFromZero.optional(), size: sizeInPath.optional() }),
  query: z.object({
    page,
    size,
    fromDate: dateIn.optional(),
    toDate: dateIn.optional(),
    ledgerType: z.enum(['DEBIT', 'CREDIT']).optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    documented: { params: { accountId: EXAMPLE.accountId, page: '0', size: '10' } },
    filtered: {
      params: { accountId: EXAMPLE.accountId, page: '0', size: '10' },
      query: { ledgerType: 'DEBIT', fromDate: '2026-01-01' },
    },
  },
  success: {
    status: 200,
    description: 'Ledger history',
    data: pagedOf('entries', entryShape),
    example: { entries: [ENTRY_EXAMPLE], page: 0, size: 10, totalElements: 1, totalPages: 1 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { params, query } = call;
    const account = await visibleAccount(call, params.accountId);
    const { fromDate, toDate, ledgerType } = query;
    const filter: EntryFilter = {
      ...(fromDate === undefined ? {} : { fromDate }),
      ...(toDate === undefined ? {} : { toDate }),
      ...(ledgerType === undefined ? {} : { side: ledgerType === 'DEBIT' ? 'debit' : 'credit' }),
    };
    const asked = { page: params.page ?? query.page, size: params.size ?? query.size };
    const wanted = { ...asked, page: params.page === undefined ? asked.page : asked.page + 1 };
    const { tenantId } = call.caller;
    const found = await call.services.readModels.entriesOfAccount(tenantId, account.accountId, filter, wanted);
    const data = { entries: found.items.map(entryOut), ...pageInfo(asked, found.totalElements) };
    return { kind: 'answer', message: 'Ledger history', data };
  },
});

export const historyByInteraction = defineEndpoint({
  id: 'ledger-history-interaction-id',
  group: 'ledger',
  title: 'Ledger history by interaction id',
  description:
    'The search key is the header `x-fapi-interaction-id`; the query parameter `interactionId` wins over it. A customer sees entries of his own accounts.',
  method: 'GET',
  path: '/api/v6/services/ledger/account-ledger-history-interaction-id',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  query: z.object({ interactionId: z.string().min(1).max(128).optional() }),
  unknownMembers: 'refuse',
  requestExamples: { query: { query: { interactionId: EXAMPLE.interactionId } } },
  success: { status: 200, description: 'Ledger entries', data: entries, example: { entries: [ENTRY_EXAMPLE] } },
  errors: [],
  async handler(call) {
    const id = call.query.interactionId ?? headerText(call.headers, 'x-fapi-interaction-id');
    if (id === undefined)
      throw new RequestFailed(
        invalid('interactionId', 'REQUIRED', 'interactionId or x-fapi-interaction-id is required'),
      );
    const lines = await call.services.readModels.entriesByCorrelation(call.caller.tenantId, id);
    return {
      kind: 'answer',
      message: 'Ledger entries',
      data: { entries: (await visibleLines(call, lines)).map(entryOut) },
    };
  },
});

/** Endpoints whose header key may have been the key of an entry. */
export const KEYED_POSTINGS = [
  'post-account',
  'post-journal-entry',
  'post-fx',
  'reverse-posting',
  'capture-hold',
] as const;

export const historyByKey = defineEndpoint({
  id: 'ledger-history-idempotency-key',
  group: 'ledger',
  title: 'Ledger history by idempotency key',
  description:
    'The search key is the header `x-idempotency-key`; the query parameter `idempotencyKey` wins over it. ' +
    "Finds entries by their instruction's key and by the key of the request. A customer sees entries of his own accounts.",
  method: 'GET',
  path: '/api/v6/services/ledger/account-ledger-history-idempotency-key',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  query: z.object({ idempotencyKey: z.string().min(1).max(255).optional() }),
  unknownMembers: 'refuse',
  requestExamples: { query: { query: { idempotencyKey: EXAMPLE.instructionKey } } },
  success: { status: 200, description: 'Ledger entries', data: entries, example: { entries: [ENTRY_EXAMPLE] } },
  errors: [],
  async handler(call) {
    const { headers, query, caller } = call;
    const key =
      query.idempotencyKey ?? headerText(headers, 'x-idempotency-key') ?? headerText(headers, 'idempotency-key');
    if (key === undefined)
      throw new RequestFailed(invalid('idempotencyKey', 'REQUIRED', 'idempotencyKey or x-idempotency-key is required'));
    const keys = [POST_INSTRUCTION, ...KEYED_POSTINGS].map((operation) => keyOf(caller.tenantId, operation, key));
    const lines = await call.services.readModels.entriesByKeys(caller.tenantId, keys);
    return {
      kind: 'answer',
      message: 'Ledger entries',
      data: { entries: (await visibleLines(call, lines)).map(entryOut) },
    };
  },
});
