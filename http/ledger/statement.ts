import { z } from 'zod';
import { amountOut } from '../amounts.js';
import { defineEndpoint } from '../endpoint.js';
import { RequestFailed, invalid } from '../problem.js';
import { amountShown, dateIn, uuid } from '../schemas.js';
import { accountOut, accountShape, ACCOUNT_EXAMPLE } from './account-shape.js';
import { ENTRY_EXAMPLE, entryOut, entryShape } from './entry-shape.js';
import { EXAMPLE } from './examples.js';
import { statementCsv } from './statement-csv.js';
import { statementPdf } from './statement-pdf.js';
import { noSuch } from '../scope.js';
import { visibleAccount } from './visible.js';

/** A statement with more lines is answered with 422: choose a shorter range. */
export const MAX_STATEMENT_LINES = 10_000;
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

const dateAt = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export const accountStatement = defineEndpoint({
  id: 'account-statement',
  group: 'ledger',
  title: 'Account statement (JSON, CSV, PDF)',
  description: `By value date, both days included; default: the last ${DEFAULT_DAYS} days. At most ${MAX_STATEMENT_LINES} entries.`,
  method: 'GET',
  path: '/api/v6/services/ledger/account-statement/{accountId}',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR'],
  kind: 'query',
  movesMoney: false,
  params: z.object({ accountId: uuid }),
  query: z.object({
    fromDate: dateIn.optional(),
    toDate: dateIn.optional(),
    format: z.enum(['json', 'csv', 'pdf']).default('json'),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    json: { params: { accountId: EXAMPLE.accountId }, query: { fromDate: '2026-01-01', toDate: '2026-12-31' } },
    csv: { params: { accountId: EXAMPLE.accountId }, query: { format: 'csv' } },
    pdf: { params: { accountId: EXAMPLE.accountId }, query: { format: 'pdf' } },
  },
  success: {
    status: 200,
    description: 'Opening and closing balance and the entries between them, oldest first',
    data: z.object({
      account: accountShape,
      fromDate: z.string(),
      toDate: z.string(),
      openingBalance: amountShown,
      closingBalance: amountShown,
      totalDebits: amountShown,
      totalCredits: amountShown,
      entries: z.array(entryShape),
    }),
    example: {
      account: ACCOUNT_EXAMPLE,
      fromDate: '2026-10-24',
      toDate: EXAMPLE.date,
      openingBalance: 2500,
      closingBalance: 1500,
      totalDebits: 1000,
      totalCredits: 0,
      entries: [ENTRY_EXAMPLE],
    },
    files: ['text/csv', 'application/pdf'],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { readModels, clock } = call.services;
    const { tenantId } = call.caller;
    const toDate = call.query.toDate ?? dateAt(clock.nowMs());
    const fromDate = call.query.fromDate ?? dateAt(Date.parse(`${toDate}T00:00:00Z`) - DEFAULT_DAYS * DAY_MS);
    if (fromDate > toDate) throw new RequestFailed(invalid('fromDate', 'INVALID_RANGE', 'fromDate is after toDate'));
    const { accountId, currency, number } = await visibleAccount(call, call.params.accountId);
    const statement = await readModels.statement(tenantId, accountId, { fromDate, toDate }, MAX_STATEMENT_LINES);
    if (statement === undefined) throw noSuch('account');
    if (statement.truncated) {
      throw new RequestFailed(
        invalid('toDate', 'RANGE_TOO_LARGE', `the range has more than ${MAX_STATEMENT_LINES} entries`),
      );
    }
    // Only digits and letters of the number go into the header.
    const fileName = `statement-${number.replace(/[^A-Za-z0-9-]/g, '_')}-${fromDate}-${toDate}`;
    if (call.query.format === 'csv') {
      const content = statementCsv(statement);
      return {
        kind: 'file',
        status: 200,
        contentType: 'text/csv; charset=utf-8; header=present',
        content,
        fileName: `${fileName}.csv`,
      };
    }
    if (call.query.format === 'pdf') {
      const content = await statementPdf(statement, clock);
      return { kind: 'file', status: 200, contentType: 'application/pdf', content, fileName: `${fileName}.pdf` };
    }
    const data = {
      account: accountOut(statement.account),
      fromDate,
      toDate,
      openingBalance: amountOut(statement.openingBalance, currency),
      closingBalance: amountOut(statement.closingBalance, currency),
      totalDebits: amountOut(statement.totalDebits, currency),
      totalCredits: amountOut(statement.totalCredits, currency),
      entries: statement.lines.map(entryOut),
    };
    return { kind: 'answer', message: 'Account statement', data };
  },
});
