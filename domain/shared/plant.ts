import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ISO_4217 } from './iso-4217.js';
import { Money } from './money.js';
import { env } from 'node:process';
export const used: Money | undefined = undefined;
type K = 'a' | 'b';
async function p(): Promise<void> {}
export function f(x: any, k: K, s: string): unknown {
  p();
  switch (k) { case 'a': return 1; }
  const a = parseFloat(s), b = Number(s), c = +s, d = (1.5).toFixed(2), e = [s].map(Number), g = Number.parseFloat(s);
  const ok = Number.isSafeInteger(3) && Number.parseInt(s, 10);
  const now = Date.now(), t = new Date(), tt = Date(), fine = new Date(s), r = Math.random(), u = crypto.randomUUID();
  return [a, b, c, d, e, g, ok, now, t, tt, fine, r, u, process.env.HOME, env, randomUUID, createHash, readFileSync, ISO_4217, x];
}
export default f;
