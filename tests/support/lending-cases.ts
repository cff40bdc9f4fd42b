/** tests/reference/lending.json, and the notations its cases use: fractions, spreadsheet formulas. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decimal } from 'decimal.js';
import type { YearRatio } from '../../domain/loan/day-count.js';
import { ExactDecimal } from '../../domain/shared/money.js';
import { repositoryRoot } from './repository.js';

export interface LendingCase<Inputs, Expected> {
  readonly id: string;
  readonly kind: string;
  readonly inputs: Inputs;
  readonly expected: Expected;
  readonly tolerance: unknown;
  readonly expected_full?: string;
  readonly verified?: { readonly with_365?: string; readonly with_365_25?: string };
}

export function lendingCases<Inputs, Expected>(kind: string): LendingCase<Inputs, Expected>[] {
  return referenceCases('lending.json', kind);
}

export function referenceCases<Inputs, Expected>(
  file: 'lending.json' | 'payments.json',
  kind: string,
): LendingCase<Inputs, Expected>[] {
  const { cases } = JSON.parse(readFileSync(join(repositoryRoot, 'tests/reference', file), 'utf8')) as {
    cases: LendingCase<Inputs, Expected>[];
  };
  return cases.filter((one) => one.kind === kind);
}

/** `1/12`, `3`, `1/12 + 3/365` as one fraction. */
export function ratioOf(text: string): YearRatio {
  return text
    .split('+')
    .map((part) => part.trim().split('/'))
    .map(([over = '', under = '1']) => ({ numerator: wholeOf(over), denominator: wholeOf(under) }))
    .reduce((sum, next) => addRatios(sum, next));
}

function wholeOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`not a whole number: ${text}`);
  return Number.parseInt(text, 10);
}

export function addRatios(a: YearRatio, b: YearRatio): YearRatio {
  const numerator = a.numerator * b.denominator + b.numerator * a.denominator;
  const denominator = a.denominator * b.denominator;
  const common = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / common, denominator: denominator / common };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export type Formulas = { readonly [name: string]: (...values: Decimal[]) => Decimal };

/** A spreadsheet formula: numbers with %, + - * / and brackets, functions by name. */
export function evaluate(formula: string, formulas: Formulas): Decimal {
  const tokens = formula.match(/[A-Z]+|\d+(?:\.\d+)?|[-+*/%(),]/g) ?? [];
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && (at += 1) > 0;
  const need = (token: string): void => {
    if (!take(token)) throw new Error(`${token} expected in ${formula} at ${String(tokens[at])}`);
  };
  const sum = (): Decimal => {
    let value = product();
    for (;;) {
      if (take('+')) value = value.plus(product());
      else if (take('-')) value = value.minus(product());
      else return value;
    }
  };
  const product = (): Decimal => {
    let value = factor();
    for (;;) {
      if (take('*')) value = value.mul(factor());
      else if (take('/')) value = value.div(factor());
      else return value;
    }
  };
  const factor = (): Decimal => {
    if (take('-')) return factor().neg();
    let value = atom();
    while (take('%')) value = value.div(100);
    return value;
  };
  const atom = (): Decimal => {
    if (take('(')) {
      const value = sum();
      need(')');
      return value;
    }
    const token = tokens[at] ?? '';
    at += 1;
    if (!/^[A-Z]+$/.test(token)) return new ExactDecimal(token);
    const call = formulas[token];
    if (call === undefined) throw new Error(`no formula ${token}`);
    need('(');
    const values = [sum()];
    while (take(',')) values.push(sum());
    need(')');
    return call(...values);
  };
  const value = sum();
  if (at !== tokens.length) throw new Error(`${formula} goes on at ${String(tokens[at])}`);
  return value;
}
