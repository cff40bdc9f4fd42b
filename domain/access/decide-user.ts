import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { Decide } from '../shared/decider.js';
import { refuse } from '../shared/refusal.js';
import type { RecordAccess } from './user-commands.js';

/** States what was done or found about a user's ways in; there must be such a user, and he must not be erased. */
export const decideRecordAccess: Decide<RecordAccess> = ({ user, facts }, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const { status } = context.state(user.kind, user.id);
  if (status === 'NONE' || status === 'ERASED') {
    return user.kind === 'customer'
      ? refuse('customer-not-found', 'there is no such customer')
      : refuse('employee-not-found', 'there is no such employee');
  }
  // Not recorded under a key: whether a key was answered before can be asked by stating nothing.
  if (facts.length === 0) return refuse('invalid-argument', 'nothing is stated', { field: 'facts' });
  for (const { type, ...data } of facts) {
    context.emit({ type, version: 1, data: { user, ...data }, tags: [tagOf(user.kind, user.id)] });
  }
  return undefined;
};
