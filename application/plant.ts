import { q } from '../projections/x/queries.js'; import { z } from '../tests/q/z.js'; export const w = [q,z];
