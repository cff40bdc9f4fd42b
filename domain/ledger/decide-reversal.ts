import type { Decide } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type { ReverseEntry } from './commands.js';
import { type LineDraft, checkBalanced, postEntry } from './entry.js';
import type { EntryPosted, Line } from './events.js';
import { checkTenant } from './guards.js';

/**
 * A reversal is a new entry that mirrors the old one, wholly or in part, once. The recorded entry stays as it is.
 * A reversal cannot be reversed: post the original again instead.
 */
export const decideReverseEntry: Decide<ReverseEntry> = (command, context) => {
  const tenantRefusal = checkTenant(context);
  if (tenantRefusal !== undefined) return tenantRefusal;
  const original = context.event(command.entry);
  if (original === undefined || original.type !== 'entry-posted') {
    return refuse('entry-not-found', 'there is no such posting', { details: { postingGroupId: command.entry } });
  }
  const { data } = original as EntryPosted;
  if (data.kind === 'reversal') return refuse('reversal-invalid', 'a reversal cannot be reversed');
  const { reversedBy } = context.state('posting', command.entry);
  if (reversedBy !== undefined) {
    return refuse('already-reversed', 'this posting was reversed before', { details: { reversedBy } });
  }
  const parts = partsOf(command, data.lines);
  if (isRefusal(parts)) return parts;
  const posted = postEntry(
    {
      kind: 'reversal',
      lines: parts,
      narration: command.reason,
      reverses: command.entry,
      ignorePermission: true,
      reference: data.reference,
    },
    context,
  );
  return isRefusal(posted) ? posted : undefined;
};

function partsOf(command: ReverseEntry, lines: readonly Line[]): LineDraft[] | Refusal {
  if (command.lines !== undefined) return chosenLines(command.lines, lines);
  const { amount } = command;
  if (amount === undefined) return lines.map((line) => mirror(line, BigInt(line.amount)));
  const [first, second] = lines;
  if (lines.length !== 2 || first === undefined || second === undefined) {
    return refuse('reversal-invalid', 'say which lines: only an entry of two lines can be reversed by an amount', {
      field: 'amount',
    });
  }
  if (amount <= 0n || amount > BigInt(first.amount)) {
    return refuse('reversal-invalid', 'more than was posted cannot be reversed', { field: 'amount' });
  }
  return [mirror(first, amount), mirror(second, amount)];
}

function chosenLines(chosen: NonNullable<ReverseEntry['lines']>, lines: readonly Line[]): LineDraft[] | Refusal {
  const parts: LineDraft[] = [];
  const seen = new Set<number>();
  for (const { line: index, amount } of chosen) {
    const line = lines[index];
    if (line === undefined || seen.has(index)) {
      return refuse('reversal-invalid', 'a line is unknown or named twice', { field: 'lines' });
    }
    if (amount <= 0n || amount > BigInt(line.amount)) {
      return refuse('reversal-invalid', 'more than was posted cannot be reversed', { field: 'lines' });
    }
    seen.add(index);
    parts.push(mirror(line, amount));
  }
  return checkBalanced(parts) ?? parts;
}

function mirror(line: Line, amount: bigint): LineDraft {
  return {
    account: line.account,
    currency: line.currency,
    side: line.side === 'debit' ? 'credit' : 'debit',
    amount,
  };
}
