// Collects the schema coordinates that an operation uses: `Tenant.slug`, `Tenant.members.first`,
// `UpdateTenantInput.name`, `Plan.FREE`.
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * Returns what an operation reads (fields and their enum values), what it writes in its text (arguments
 * and their values), and what it can send in its variables.
 */
export function usage(schema, { document, operation }) {
  const used = { reads: new Set(), writes: new Set(), sends: new Set() };
  const info = new TypeInfo(schema);
  const look = visitWithTypeInfo(info, {
    Field() {
      const [parent, field] = [info.getParentType(), info.getFieldDef()];
      // The schema does not have the field, so the field is newer than the schema.
      if (!parent || !field) return;
      const types = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
      for (const { name } of types) used.reads.add(name).add(`${name}.${field.name}`);
      const type = getNamedType(field.type);
      used.reads.add(type.name);
      for (const { name } of isEnumType(type) ? type.getValues() : []) {
        used.reads.add(`${type.name}.${name}`);
      }
    },
    Argument({ name }) {
      const [parent, field] = [info.getParentType(), info.getFieldDef()];
      if (parent && field && !info.getDirective()) {
        used.writes.add(`${parent.name}.${field.name}.${name.value}`);
      }
    },
    ObjectField({ name }) {
      const type = getNamedType(info.getParentInputType());
      if (type) used.writes.add(type.name).add(`${type.name}.${name.value}`);
    },
    EnumValue({ value }) {
      const type = getNamedType(info.getInputType());
      if (type) used.writes.add(type.name).add(`${type.name}.${value}`);
    },
  });
  for (const part of parts(document, operation)) visit(part, look);
  for (const { type } of operation.variableDefinitions ?? []) {
    reach(getNamedType(typeFromAST(schema, type)), used.sends);
  }
  return used;
}

/** Returns an operation and all fragments that it spreads, directly or through other fragments. */
export function parts(document, operation) {
  const fragments = new Map();
  for (const part of document.definitions) {
    if (part.kind === Kind.FRAGMENT_DEFINITION) fragments.set(part.name.value, part);
  }
  const found = new Set([operation]);
  // A Set also iterates over elements that are added during the iteration.
  for (const part of found) {
    visit(part, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment) found.add(fragment);
      },
    });
  }
  return [...found];
}

/** Adds every coordinate that a value of an input type can contain. */
function reach(type, found) {
  if (!type || found.has(type.name)) return;
  found.add(type.name);
  if (isEnumType(type)) {
    for (const { name } of type.getValues()) found.add(`${type.name}.${name}`);
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      found.add(`${type.name}.${field.name}`);
      reach(getNamedType(field.type), found);
    }
  }
}
