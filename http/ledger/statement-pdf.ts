import PDFDocument from 'pdfkit';
import type { Clock } from '../../application/ports/clock.js';
import type { EntryLineView, StatementView } from '../../application/ports/read-models.js';
import { formatAmount } from '../../domain/shared/money.js';

const MARGIN = 40;
const ROW = 14;
/** Left edges and widths, in points, on A4. */
const COLUMNS = [
  { title: 'Date', x: 40, width: 60, align: 'left' },
  { title: 'Narration', x: 105, width: 190, align: 'left' },
  { title: 'Debit', x: 300, width: 80, align: 'right' },
  { title: 'Credit', x: 385, width: 80, align: 'right' },
  { title: 'Balance', x: 470, width: 85, align: 'right' },
] as const;

/** The built-in fonts know Windows-1252 only: what they cannot show becomes a question mark rather than another letter. */
function shownText(text: string): string {
  return text.replace(/[^\u0020-\u007e\u00a0-\u00ff]/g, '?');
}

function printRow(document: PDFKit.PDFDocument, y: number, cells: readonly string[], font = 'Helvetica'): void {
  document.font(font).fontSize(8);
  COLUMNS.forEach(({ x, width, align }, index) => {
    document.text(shownText(cells[index] ?? ''), x, y, { width, align, height: ROW, ellipsis: true, lineBreak: false });
  });
}

function printHead(document: PDFKit.PDFDocument, statement: StatementView): number {
  const { account, fromDate, toDate } = statement;
  document.font('Helvetica-Bold').fontSize(14).text('Account statement', MARGIN, MARGIN);
  document.font('Helvetica').fontSize(9);
  document.text(shownText(`${account.name}`), MARGIN, MARGIN + 22, {
    width: 500,
    height: 12,
    ellipsis: true,
    lineBreak: false,
  });
  document.text(shownText(`Account ${account.number} in ${account.currency}`), MARGIN, MARGIN + 35);
  document.text(`${fromDate} to ${toDate}`, MARGIN, MARGIN + 48);
  return MARGIN + 75;
}

function cellsOf(line: EntryLineView): string[] {
  const shown = (minor: bigint) => formatAmount(minor, line.currency);
  const { side, amount } = line;
  return [
    line.valueDate,
    line.narration ?? line.reference ?? line.kind,
    side === 'debit' ? shown(amount) : '',
    side === 'credit' ? shown(amount) : '',
    shown(line.balanceAfter),
  ];
}

/** Rows are drawn this many at a time (about 10 ms), then others run: a long statement must not hold up postings. */
const ROWS_AT_ONCE = 100;

/** The statement as A4 pages. */
export async function statementPdf(statement: StatementView, clock: Clock): Promise<Buffer> {
  const { account, lines, openingBalance, closingBalance, totalDebits, totalCredits } = statement;
  const shown = (minor: bigint) => formatAmount(minor, account.currency);
  const document = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    info: {
      Title: `Statement ${account.number}`,
      Producer: 'Corebook',
      Creator: 'Corebook',
      CreationDate: new Date(clock.nowMs()),
    },
  });
  const chunks: Buffer[] = [];
  const finished = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  const titles = COLUMNS.map(({ title }) => title);
  let y = printHead(document, statement);
  const bottom = document.page.height - MARGIN - ROW;
  const print = (cells: readonly string[], font?: string): void => {
    if (y > bottom) {
      document.addPage();
      y = MARGIN;
      printRow(document, y, titles, 'Helvetica-Bold');
      y += ROW;
    }
    printRow(document, y, cells, font);
    y += ROW;
  };
  print(titles, 'Helvetica-Bold');
  print([statement.fromDate, 'Opening balance', '', '', shown(openingBalance)]);
  for (const [index, line] of lines.entries()) {
    print(cellsOf(line));
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await clock.turn();
  }
  print(
    [statement.toDate, 'Closing balance', shown(totalDebits), shown(totalCredits), shown(closingBalance)],
    'Helvetica-Bold',
  );
  document.end();
  return await finished;
}
