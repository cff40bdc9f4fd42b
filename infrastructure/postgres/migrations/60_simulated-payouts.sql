-- The books of the simulated payout partner (infrastructure/partners): a third party's, kept here so that it remembers
-- over restarts what it was asked to pay. Not where the money went, which is personal data: only what it will do.
create table ledger.simulated_payouts (
  tenant_id   uuid           not null,
  payout_id   uuid           not null,
  behaviour   text           not null,
  currency    text           not null check (length(currency) = 3),
  amount      numeric(38, 0) not null check (amount > 0),
  accepted_at timestamptz(3) not null,
  constraint simulated_payouts_pkey primary key (tenant_id, payout_id)
);
comment on table ledger.simulated_payouts is 'Payouts that the simulated partner was asked for. Empty where a real one is configured.';
grant select, insert on ledger.simulated_payouts to corebook_core;
alter table ledger.simulated_payouts enable row level security;
alter table ledger.simulated_payouts force row level security;
create policy simulated_payouts_core on ledger.simulated_payouts to corebook_core using (true) with check (true);
