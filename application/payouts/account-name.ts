/** Anything but letters and digits, and marks that stand for nothing in a name. */
const SEPARATORS = /[^\p{L}\p{N}]+/u;
const ACCENTS = /\p{M}+/gu;
const APOSTROPHES = /['’`.]/g;
const TITLES: ReadonlySet<string> = new Set(['mr', 'mrs', 'ms', 'miss', 'dr', 'chief', 'alhaji', 'alhaja', 'prof']);

/** The words of a name as they are compared: lower case, without accents, apostrophes and titles. */
function wordsOf(name: string): string[] {
  return name
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .replace(APOSTROPHES, '')
    .toLowerCase()
    .split(SEPARATORS)
    .filter((word) => word !== '' && !TITLES.has(word));
}

/**
 * Whether an account may be this person's: every word of his last name and the first word of his first name stand in the
 * holder's name, in any order; further words (middle names, a maiden name) do not matter. Banks write the last name
 * first, in capitals, with or without middle names; what they do not do is leave out one of these two. Cut or initialled
 * names do not pass: then staff helps. (spec 5: the account name is checked against the profile name.)
 */
export function isNameOf(holder: string, person: { readonly firstName: string; readonly lastName: string }): boolean {
  const held = new Set(wordsOf(holder));
  const [first] = wordsOf(person.firstName);
  const last = wordsOf(person.lastName);
  return first !== undefined && last.length > 0 && [first, ...last].every((word) => held.has(word));
}
