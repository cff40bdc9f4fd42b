import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { EmployeeView, Page, Paged } from '../../application/ports/read-models.js';
import type { EmployeeStatus } from '../../domain/employee/events.js';
import type { Role } from '../../domain/shared/decider.js';
import { flag, person } from '../people.js';
import { MAX_COUNTED, count, instant, limitOf, offsetOf, optionalText, text } from '../rows.js';

const COLUMNS = `employee_id, roles, status, agent_id, branch_id, picture_id, person, has_login_pin, has_transaction_pin,
  ${instant('locked_until')} as locked_until, ${instant('created_at')} as created_at, ${instant('updated_at')} as updated_at`;

export async function employee(
  db: TenantQueries,
  tenantId: string,
  employeeId: string,
): Promise<EmployeeView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'employee-by-id',
    text: `select ${COLUMNS} from ledger.employees where tenant_id = $1 and employee_id = $2`,
    values: [tenantId, employeeId],
  });
  return row === undefined ? undefined : employeeView(row);
}

const MATCHES = `tenant_id = $1 and status <> 'ERASED' and ($2::text is null or $2 = any(string_to_array(roles, ' ')))
  and ($3::text is null or status = $3)`;

/** Newest first. */
export async function employees(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly role?: Role; readonly status?: EmployeeStatus },
  page: Page,
): Promise<Paged<EmployeeView>> {
  const values = [tenantId, filter.role ?? null, filter.status ?? null];
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'employees-count',
      text: `select count(*) as n from (select from ledger.employees where ${MATCHES} limit ${MAX_COUNTED}) e`,
      values,
    }),
    db.query(tenantId, {
      name: 'employees-page',
      text: `select ${COLUMNS} from ledger.employees where ${MATCHES} order by created_revision desc limit $4 offset $5`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(employeeView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function employeeView(row: QueryRow): EmployeeView {
  return {
    employeeId: text(row, 'employee_id'),
    roles: text(row, 'roles').split(' ') as Role[],
    status: text(row, 'status') as EmployeeStatus,
    agentId: optionalText(row, 'agent_id'),
    branchId: optionalText(row, 'branch_id'),
    pictureId: optionalText(row, 'picture_id'),
    person: person(row),
    hasLoginPin: flag(row, 'has_login_pin'),
    hasTransactionPin: flag(row, 'has_transaction_pin'),
    lockedUntil: optionalText(row, 'locked_until'),
    createdAt: text(row, 'created_at'),
    updatedAt: text(row, 'updated_at'),
  };
}
