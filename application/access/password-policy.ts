import type { Preferences } from '../../domain/tenant/preferences.js';
import type { PasswordHasher } from '../ports/password-hasher.js';
import { isCommonPassword } from './common-passwords.js';

/** What is wrong with a password, in the words of the error list: one `code` per rule. */
export interface PasswordFault {
  readonly code: string;
  readonly message: string;
}

/**
 * Checks a new password against the tenant's policy, the list of common passwords, simple patterns, and words of the
 * person's own (name, e-mail). Empty when it may be used.
 */
export function passwordFaults(
  password: string,
  preferences: Preferences,
  personalWords: readonly string[],
): PasswordFault[] {
  const faults = ruleFaults(password, preferences);
  const add = (code: string, message: string) => faults.push({ code, message });
  const folded = foldedOf(password);
  if (isCommon(folded)) add('COMMON_PASSWORD', 'is one of the most common passwords, or made from one');
  if (isPattern(folded)) add('SIMPLE_PATTERN', 'is a run, a row of the keyboard, or a repetition');
  if (hasOwnWord(folded, personalWords)) add('PERSONAL_WORD', 'contains the name or e-mail address of its owner');
  return faults;
}

/** Whether the password is the present one or one of the last `PASSWORD_HISTORY_COUNT`. */
export async function isReused(password: string, hashes: readonly string[], hasher: PasswordHasher): Promise<boolean> {
  // One after another: hashing takes its time, and most passwords are new.
  for (const hash of hashes) if (await hasher.verify(hash, password)) return true;
  return false;
}

function ruleFaults(password: string, policy: Preferences): PasswordFault[] {
  const {
    PASSWORD_MINIMUM_LENGTH: least,
    PASSWORD_MAXIMUM_LENGTH: most,
    PASSWORD_SPECIAL_CHARACTERS: special,
  } = policy;
  const length = [...password].length;
  const rules: ReadonlyArray<readonly [broken: boolean, code: string, message: string]> = [
    [length < least, 'TOO_SHORT', `has at least ${least} characters`],
    [length > most, 'TOO_LONG', `has at most ${most} characters`],
    [policy.PASSWORD_REQUIRES_UPPERCASE && !/\p{Lu}/u.test(password), 'NO_UPPERCASE', 'has an upper-case letter'],
    [policy.PASSWORD_REQUIRES_LOWERCASE && !/\p{Ll}/u.test(password), 'NO_LOWERCASE', 'has a lower-case letter'],
    [policy.PASSWORD_REQUIRES_DIGIT && !/\p{Nd}/u.test(password), 'NO_DIGIT', 'has a digit'],
    [
      policy.PASSWORD_REQUIRES_SPECIAL_CHARACTER && ![...special].some((sign) => password.includes(sign)),
      'NO_SPECIAL_CHARACTER',
      `has one of ${special}`,
    ],
  ];
  return rules.filter(([broken]) => broken).map(([, code, message]) => ({ code, message }));
}

/** How people disguise letters. */
const DISGUISES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

interface Folded {
  /** Lower case, without accents. */
  readonly plain: string;
  /** Without what stands before the first and after the last letter: `Dragon2026!` is dragon. */
  readonly core: string;
  /** The same with disguised letters put back: `P@ssw0rd1!` is password. */
  readonly undisguised: string;
}

const coreOf = (text: string): string => text.replace(/^\P{L}+|\P{L}+$/gu, '');

function foldedOf(password: string): Folded {
  const plain = plainOf(password);
  // Trimmed first: the digits and signs that follow a word are no letters in disguise.
  const inner = plain.replace(/^[^\p{L}@$]+|\P{L}+$/gu, '');
  const undisguised = coreOf([...inner].map((sign) => DISGUISES[sign] ?? sign).join(''));
  return { plain, core: coreOf(plain), undisguised };
}

function plainOf(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** A common password may stand in a longer one that has this much, or more than as much again, of its own. */
const MOST_ADDED = 5;

function isCommon({ plain, core, undisguised }: Folded): boolean {
  if (isCommonPassword(plain)) return true;
  return [core, undisguised].some(
    (word) => plain.length - word.length <= Math.max(MOST_ADDED, word.length) && isCommonPassword(word),
  );
}

const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'azertyuiop'];
const RUNS = [...ROWS, ...ROWS.map((row) => [...row].reverse().join(''))];
const RUN_LENGTH = 4;

/** Most of it is runs (`abcd`, `4321`, `qwer`), or it repeats a piece of at most four characters. */
function isPattern({ plain }: Folded): boolean {
  const word = plain.replace(/[^\p{L}\p{Nd}]/gu, '');
  if (/^(.{1,4})\1+.{0,3}$/u.test(plain) || /^(.{1,4})\1+$/u.test(word)) return true;
  if (/(.)\1{3}/u.test(plain)) return true;
  let inRuns = 0;
  for (let at = 0; at < plain.length;) {
    const length = runAt(plain, at);
    inRuns += length >= RUN_LENGTH ? length : 0;
    at += Math.max(1, length);
  }
  return inRuns * 2 >= plain.length;
}

/** Length of the longest run that begins here. */
function runAt(text: string, at: number): number {
  let length = 1;
  while (at + length < text.length && RUNS.some((run) => run.includes(text.slice(at, at + length + 1)))) length += 1;
  return length;
}

const SHORTEST_OWN_WORD = 4;

/** Words of four letters and more; of an e-mail address the part before the @. */
function hasOwnWord({ plain, undisguised }: Folded, personalWords: readonly string[]): boolean {
  const words = personalWords
    .map((text) => plainOf(text.replace(/@.*$/s, '')))
    .flatMap((text) => [text, ...text.split(/[^\p{L}\p{Nd}]+/u)])
    .filter((word) => word.length >= SHORTEST_OWN_WORD);
  return words.some((word) => plain.includes(word) || undisguised.includes(word));
}
