// Reads from the schema which viewers may use a field.
import { getDirectiveValues } from 'graphql';

/** Returns the requirement of a field or mutation, or `undefined` if there is none. */
export function requirement(schema, type, field) {
  const { astNode } = schema.getType(type).getFields()[field];
  return getDirectiveValues(schema.getDirective('guard'), astNode)?.requires;
}

/** Whether a viewer with this role in the tenant (or `null`) meets a requirement that is not `SELF`. */
export function meets(requires, { platformAdmin, role }) {
  const roles = ['MEMBER', 'ADMIN', 'OWNER'];
  const [, least] = /^TENANT_(\w+)$/.exec(requires ?? '') ?? [];
  if (platformAdmin || requires === undefined) return true;
  return least !== undefined && roles.indexOf(role) >= roles.indexOf(least);
}
