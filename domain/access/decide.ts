import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { type Refusal, refuse } from '../shared/refusal.js';
import type { DeleteApiToken, DisableApiToken, IssueApiToken, RotateApiToken } from './commands.js';

/** The log keeps that a token was issued, rotated, disabled or deleted, and by whom; its hash is stored elsewhere. */
export const decideIssueApiToken: Decide<IssueApiToken> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  if (command.expiresAt <= context.now) {
    return refuse('invalid-argument', 'the token would have expired already', { field: 'expiry' });
  }
  if (context.state('token', command.token).status !== 'NONE') return refuse('invalid-state', 'there is such a token');
  const { agent } = command;
  if (agent === undefined ? command.roles.includes('AGENT') : context.state('agent', agent).status === 'NONE') {
    return refuse('agent-not-found', 'role AGENT goes with an agent of this tenant', { field: 'agentId' });
  }
  context.emit({
    type: 'api-token-issued',
    version: 2,
    data: {
      token: command.token,
      name: command.name,
      roles: [...command.roles],
      ...(command.customer === undefined ? {} : { customer: command.customer }),
      ...(agent === undefined ? {} : { agent }),
      ipAllowList: [...command.ipAllowList],
      expiresAt: command.expiresAt,
    },
    tags: [tagOf('token', command.token)],
  });
  return undefined;
};

export const decideRotateApiToken: Decide<RotateApiToken> = (command, context) =>
  change(
    command.token,
    ['ACTIVE'],
    'api-token-rotated',
    { token: command.token, graceUntil: command.graceUntil },
    context,
  );

export const decideDisableApiToken: Decide<DisableApiToken> = (command, context) =>
  change(command.token, ['ACTIVE'], 'api-token-disabled', { token: command.token }, context);

export const decideDeleteApiToken: Decide<DeleteApiToken> = (command, context) =>
  change(command.token, ['ACTIVE', 'DISABLED'], 'api-token-deleted', { token: command.token }, context);

function change(
  token: string,
  from: readonly string[],
  type: string,
  data: Readonly<Record<string, string>>,
  context: DecisionContext,
): Refusal | undefined {
  const { status } = context.state('token', token);
  if (status === 'NONE' || status === 'DELETED') return refuse('token-not-found', 'there is no such token');
  if (!from.includes(status)) return refuse('invalid-state', `the token is ${status}`);
  context.emit({ type, version: 1, data, tags: [tagOf('token', token)] });
  return undefined;
}
