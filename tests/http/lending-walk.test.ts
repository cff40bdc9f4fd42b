import t from 'tap';
import { seedLending } from '../../application/sandbox/seed-lending.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { HttpWorld } from '../support/http-world.js';
import { walk } from '../support/walk.js';

t.test('the documented process flow, as a script walks it', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const tenantId = tenantIdOf('demo');
  const lender = { tenantId, slug: 'finlend', baseCurrency: 'NGN' };
  await seedLending(lender, (name, payload) => world.command(name, payload, tenantId));
  const [CUSTOMER, OFFICER] = [await world.token('CUSTOMER'), await world.token('MANAGER')];
  const environment = { URL: `http://127.0.0.1:${world.port}`, CUSTOMER, OFFICER };
  const { code, stdout, stderr } = await walk('lending-walk.sh', environment);
  t.equal(code, 0, stdout + stderr);
  for (const line of [
    /Ada Obi: Salary advance at 12.5 %, Business loan at 18 %/,
    /he will be asked: What is the loan for\?/,
    /APR 14.4154 %, 4454.14 a month, 53949.71 in all/,
    /application L[0-9A-Z]+ is REQUESTED/,
    /in the queue: true/,
    /score 50, risk LOW; minimum-age: true/,
    /OFFER_SENT/,
    /40000 of 50000, APR [\d.]+ %, 10 instalments of 4232\.\d\d/,
    /ACCEPTED/,
    /terms, version 1/,
    /Terms accepted and loan disbursed/,
    /TXN-\d{8}-000001 is PENDING/,
    /of L[0-9A-Z]+ is PENDING_VERIFICATION/,
    /VERIFIED; principal [\d.]+/,
    /\d+ of 10 instalments paid/,
    /1 is refused: the right figure is [\d.]+/,
    /the loan is PAID_OFF/,
    /he owes 0 on 0 running loans/,
    /walked L[0-9A-Z]+/,
  ]) {
    t.match(stdout, line);
  }
  const loan = /walked (\w+)/.exec(stdout)?.[1] ?? '';
  const view = await world.deps.readModels.loan(tenantId, loan);
  t.match(view, { status: 'PAID_OFF', code: loan });
  for (const account of Object.values(view?.accounts ?? {})) {
    t.match(await world.deps.readModels.account(tenantId, account), { ledger: 0n }, 'nothing is left in its accounts');
  }

  const again = await walk('lending-walk.sh', environment);
  t.equal(again.code, 0, `a second walk is another loan ${again.stderr}`);
  const strangers = await walk('lending-walk.sh', { ...environment, OFFICER: CUSTOMER });
  t.not(strangers.code, 0, 'it says so when a step is refused');
  t.match(strangers.stderr, /refused: .*"errorCode":"FORBIDDEN"/);
});
