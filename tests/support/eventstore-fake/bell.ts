/** Wakes everybody who waits for news: an append, a fault that was armed, a call that was cancelled. */
export class Bell {
  #waiting: Array<() => void> = [];

  /** Resolves at the next ring. Who looks for news first and then waits, with no `await` between, misses none. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
