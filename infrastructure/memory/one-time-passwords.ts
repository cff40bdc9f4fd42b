import type {
  OneTimePassword,
  OneTimePasswordStore,
  OtpIssue,
  OtpPurpose,
  OtpVerdict,
} from '../../application/ports/one-time-passwords.js';

interface Kept extends OneTimePassword {
  triesLeft: number;
  isSpent: boolean;
}

const DAY_MS = 86_400_000;

/** One-time passwords in memory, for tests. */
export class MemoryOneTimePasswordStore implements OneTimePasswordStore {
  readonly #kept = new Map<string, Kept>();

  issue(password: OneTimePassword, resendSeconds: number): Promise<OtpIssue> {
    const { tenantId, purpose, emailDigest, reference, createdAt, maxTries } = password;
    const key = `${tenantId} ${purpose} ${emailDigest}`;
    const last = this.#kept.get(key);
    if (last?.reference === reference) return Promise.resolve({ status: 'repeated' });
    const waitMs = last === undefined ? 0 : Date.parse(last.createdAt) + resendSeconds * 1000 - Date.parse(createdAt);
    if (last !== undefined && waitMs > 0) {
      const waitSeconds = Math.max(1, Math.ceil(waitMs / 1000));
      return Promise.resolve({ status: 'too-soon', reference: last.reference, waitSeconds });
    }
    this.#kept.set(key, { ...password, triesLeft: maxTries, isSpent: false });
    return Promise.resolve({ status: 'issued' });
  }

  attempt(
    tenantId: string,
    purpose: OtpPurpose,
    by: { readonly emailDigest: string; readonly reference?: string },
    codeDigest: string | null,
    nowIso: string,
  ): Promise<OtpVerdict> {
    const kept = this.#kept.get(`${tenantId} ${purpose} ${by.emailDigest}`);
    return Promise.resolve(
      kept === undefined || (by.reference ?? kept.reference) !== kept.reference
        ? { status: 'none' }
        : tried(kept, codeDigest, nowIso),
    );
  }

  giveBack(tenantId: string, purpose: OtpPurpose, emailDigest: string, reference: string): Promise<void> {
    const kept = this.#kept.get(`${tenantId} ${purpose} ${emailDigest}`);
    if (kept?.reference === reference) kept.isSpent = false;
    return Promise.resolve();
  }

  purge(nowIso: string): Promise<number> {
    let removed = 0;
    for (const [key, { expiresAt }] of this.#kept) {
      if (Date.parse(expiresAt) > Date.parse(nowIso) - DAY_MS) continue;
      this.#kept.delete(key);
      removed += 1;
    }
    return Promise.resolve(removed);
  }
}

function tried(kept: Kept, codeDigest: string | null, nowIso: string): OtpVerdict {
  const { reference } = kept;
  const isRight = codeDigest === null || codeDigest === kept.codeDigest;
  if (kept.isSpent) return isRight ? { status: 'spent', reference } : { status: 'none' };
  if (kept.triesLeft <= 0) return { status: 'exhausted' };
  if (kept.expiresAt <= nowIso) return { status: 'expired' };
  if (isRight) kept.isSpent = true;
  else kept.triesLeft -= 1;
  return isRight ? { status: 'right', reference } : { status: 'wrong' };
}
