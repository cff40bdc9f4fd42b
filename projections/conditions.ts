type Value = string | number | boolean;

/**
 * The conditions of a list with optional filters. Which of them are given makes the text, and so the statement's name:
 * each combination is planned for itself and has its index.
 */
export class Conditions {
  readonly values: Value[];
  readonly #conditions: string[];
  readonly #names: string[] = [];

  constructor(condition: string, ...values: readonly Value[]) {
    this.#conditions = [condition];
    this.values = [...values];
  }

  /** Nothing for a value that is not given; `condition` is told its parameter. */
  add(name: string, condition: (parameter: string) => string, value: Value | undefined): void {
    if (value === undefined) return;
    this.values.push(value);
    this.#conditions.push(condition(`$${this.values.length}`));
    this.#names.push(name);
  }

  get where(): string {
    return this.#conditions.join(' and ');
  }

  get name(): string {
    return this.#names.join(' ');
  }
}
