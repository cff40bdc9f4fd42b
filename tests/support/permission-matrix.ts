import { ROLES } from '../../domain/shared/decider.js';
import { type Endpoint, GROUPS } from '../../http/endpoint.js';

const INTRODUCTION = `# Who may call what

Made from the endpoint definitions (\`UPDATE_DOCS=1 npm test -- definitions\` writes it anew; a test compares it). Everything
that is not marked is denied. \`PUBLIC\` endpoints need no token; † stands for those that ask for the tenant by host or
\`X-Tenant\`.

What a role sees: a CUSTOMER his own data; AGENT and a CASHIER who works for an agent the customers of that agent and of its
sub-agents; all others their tenant. MANAGERs of the operator's own tenant (‡) manage tenants. What is out of sight answers
exactly like what does not exist.
`;

/** The permission matrix of the documentation, as Markdown. */
export function permissionMatrix(endpoints: readonly Endpoint[]): string {
  const served = GROUPS.filter((group) => endpoints.some((endpoint) => endpoint.group === group));
  const tables = served.map((group) => {
    const rows = endpoints.filter((endpoint) => endpoint.group === group).map(rowOf);
    const head = ['endpoint', ...ROLES, 'PUBLIC'];
    return [`## ${group}`, '', line(head), line(head.map(() => '---')), ...rows].join('\n');
  });
  return `${[INTRODUCTION, ...tables].join('\n')}\n`.replaceAll('\n## ', '\n\n## ').replaceAll('\n\n\n', '\n\n');
}

function rowOf(endpoint: Endpoint): string {
  const { id, method, path, roles, tenant, rootTenantOnly } = endpoint;
  const open = roles === 'PUBLIC';
  const marks = ROLES.map((role) => (!open && roles.includes(role) ? (rootTenantOnly === true ? '‡' : '●') : ''));
  return line([`\`${method} ${path}\` ${id}`, ...marks, open ? (tenant === 'named' ? '†' : '●') : '']);
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
