import { isClean } from './json.js';
import { RequestFailed, invalid } from './problem.js';

const NONE: Readonly<Record<string, string>> = {};
const MAX_LENGTH = 8_192;

/** Query parameters by name. One that is sent twice is a 422: two readers of it might choose differently. */
export function queryOf(search: string): Readonly<Record<string, string>> {
  if (search === '') return NONE;
  if (search.length > MAX_LENGTH) throw new RequestFailed(invalid('', 'TOO_LONG', 'the query is too long'));
  // Without a prototype, so that no name means anything by itself.
  const query = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(search)) {
    if (!isClean(name) || !isClean(value))
      throw new RequestFailed(invalid('', 'INVALID_TEXT', 'the query has control characters'));
    if (name in query)
      throw new RequestFailed(invalid(name.slice(0, 100), 'DUPLICATE', 'a query parameter was sent twice'));
    query[name] = value;
  }
  return query;
}
