import { stringify } from 'csv-stringify/sync';
import type { StatementView } from '../../application/ports/read-models.js';
import { formatAmount } from '../../domain/shared/money.js';

const COLUMNS = [
  'valueDate',
  'recordedAt',
  'transactionId',
  'postingGroupId',
  'narration',
  'paymentReference',
  'debit',
  'credit',
  'balance',
  'currencyCode',
];

/**
 * A spreadsheet runs a cell that begins with one of these as a formula (OWASP: CSV injection). Texts that other people
 * chose get an apostrophe before them; amounts are ours and stay numbers, a minus sign included.
 */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
function guarded(text: string | null): string {
  if (text === null) return '';
  return FORMULA.test(text) ? `'${text}` : text;
}

/** RFC 4180 with a header line; the opening balance is the first row, the closing balance the last. */
export function statementCsv(statement: StatementView): string {
  const { currency } = statement.account;
  const shown = (minor: bigint) => formatAmount(minor, currency);
  const balanceRow = (date: string, label: string, balance: bigint) => [
    date,
    '',
    '',
    '',
    label,
    '',
    '',
    '',
    shown(balance),
    currency,
  ];
  const rows = statement.lines.map((line) => [
    line.valueDate,
    line.recordedAt,
    line.lineId,
    line.entryId,
    guarded(line.narration),
    guarded(line.reference),
    line.side === 'debit' ? shown(line.amount) : '',
    line.side === 'credit' ? shown(line.amount) : '',
    shown(line.balanceAfter),
    currency,
  ]);
  return stringify(
    [
      COLUMNS,
      balanceRow(statement.fromDate, 'Opening balance', statement.openingBalance),
      ...rows,
      balanceRow(statement.toDate, 'Closing balance', statement.closingBalance),
    ],
    { record_delimiter: 'windows' },
  );
}
