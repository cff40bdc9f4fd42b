import type { PersonalData } from '../../domain/shared/person.js';

/**
 * How customers are found by words: a word matches where it begins one of the customer's terms. Names, e-mail addresses
 * and words go through the same steps, so what was typed with other accents, cases or signs is found too.
 */

/** Most terms of a customer: those of the name, then of the e-mail address, then of the phone number. */
export const MAX_TERMS = 40;
const MAX_NAME_TERMS = 16;
const MAX_LOCAL_PART_TERMS = 8;
/** Longest term, in characters; of longer ones the beginning is kept. */
const MAX_TERM_LENGTH = 64;
/** Most words of a search that are looked at. */
const MAX_WORDS = 8;
/** Shortest end of a phone number that is a term: with all longer ones, any part that begins before it is found. */
const SHORTEST_PHONE_END = 4;
const MAX_SORT_NAME_LENGTH = 128;

/** Letters whose strokes and ligatures are no marks to Unicode. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ς: 'σ',
};

/** Without case and accents; ß is ss. */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[øłđðħıæœþς]/g, (letter) => PLAIN_LETTERS[letter] ?? letter);
}

const shortened = (text: string, length: number): string => Array.from(text).slice(0, length).join('');
/** Leading zeros are a matter of dialling: 07911 is a part of +447911. */
const withoutLeadingZeros = (text: string): string => (/^\d+$/.test(text) ? text.replace(/^0+(?=\d)/, '') : text);

/** The letters and digits of a text in runs; what looks like a phone number is one run. */
function runs(text: string): string[] {
  return folded(text)
    .split(/\s+/)
    .flatMap((word) => (/^[\d()+./-]+$/.test(word) ? [word.replace(/\D+/g, '')] : word.split(/[^\p{L}\p{N}]+/u)))
    .filter((run) => run !== '')
    .map((run) => shortened(withoutLeadingZeros(run), MAX_TERM_LENGTH));
}

/** An e-mail address or the beginning of one, whole. */
function address(text: string): string {
  return shortened(folded(text).replace(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, ''), MAX_TERM_LENGTH);
}

/** What finds this person, each term once. */
export function searchTermsOf(person: PersonalData): string[] {
  const { firstName, lastName, email, phone = '', dynamicFields = {} } = person;
  const company = typeof dynamicFields['companyName'] === 'string' ? dynamicFields['companyName'] : '';
  const local = email.slice(0, Math.max(0, email.lastIndexOf('@')));
  const digits = phone.replace(/\D+/g, '').slice(0, 20);
  const ends = Array.from({ length: Math.max(0, digits.length - SHORTEST_PHONE_END + 1) }, (_, i) => digits.slice(i));
  const terms = [
    ...runs(`${firstName} ${lastName} ${company}`).slice(0, MAX_NAME_TERMS),
    address(email),
    ...runs(local).slice(0, MAX_LOCAL_PART_TERMS),
    ...ends.map(withoutLeadingZeros),
  ];
  return [...new Set(terms)].filter((term) => term !== '').slice(0, MAX_TERMS);
}

/** What to look for: each must begin a term. None when the words hold no letter and no digit: then nothing matches. */
export function searchedTermsOf(words: readonly string[]): string[] {
  const terms = words
    .slice(0, MAX_WORDS)
    .flatMap((word) => (word.includes('@') && /[\p{L}\p{N}]/u.test(word) ? [address(word)] : runs(word)));
  return [...new Set(terms)].slice(0, MAX_WORDS);
}

/** By which customers are listed: the last name, then the first. */
export function sortNameOf({ firstName, lastName }: PersonalData): string {
  return shortened(runs(`${lastName} ${firstName}`).join(' '), MAX_SORT_NAME_LENGTH);
}
