/** How far each reactor has acted on the log. No rebuild of a projection resets it: effects happen once. */
export interface ReactorCheckpoints {
  /** Position of the last event acted on; '' when none was. */
  load(reactor: string): Promise<string>;
  /** Moves from `from` to `to`; false when it is not at `from` any more: another process runs the same reactor. */
  advance(reactor: string, from: string, to: string): Promise<boolean>;
}
