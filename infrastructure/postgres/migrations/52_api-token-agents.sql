-- Tokens of those who work for an agent see that agent's customers only.
alter table ledger.api_tokens add column agent_id uuid;
create index api_tokens_customer on ledger.api_tokens (tenant_id, customer_id) where customer_id is not null;
