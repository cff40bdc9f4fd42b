import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { StoredEvent } from './store.js';

/** How many events the server looks through at once when the reader does not say. */
const SEARCH_WINDOW = 32;

export interface Filter {
  readonly matches: (event: StoredEvent) => boolean;
  /** A subscription tells where it is after having looked through this many events. */
  readonly checkpointInterval: number;
}

/** The server-side filter of a request on `$all`: prefixes or a regular expression on streams or types. */
export function filterOf(options: ReadReq.Options): Filter | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const onStream = filter.getStreamIdentifier();
  const expression = onStream ?? filter.getEventType();
  const prefixes = expression?.getPrefixList() ?? [];
  const pattern = new RegExp(expression?.getRegex() ?? '', 'u');
  const fits = (text: string): boolean =>
    prefixes.length > 0 ? prefixes.some((prefix) => text.startsWith(prefix)) : pattern.test(text);
  const window = filter.hasMax() ? filter.getMax() : SEARCH_WINDOW;
  return {
    matches: (event) => fits(onStream === undefined ? event.type : event.stream),
    checkpointInterval: window * filter.getCheckpointintervalmultiplier(),
  };
}
